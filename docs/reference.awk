# What Doxygen is told before it reads a header. Names that mean the same wherever they stand are explained here,
# once: the protocol of what can be awaited, members that the language could have written itself, and words such
# as size(). A comment of the header's own wins.
function explain(words) { if (before !~ /^ *(\/\/\/|template)/ && $0 !~ /\/\/\/</) print "/// " words }

# Doxygen does not find the template of a specialization in std; what it is for stands at the type itself.
skipping { skipping = !/^};/; next }
held && /^(struct|class) std::/ { held = 0; skipping = !/};$/; next }
held { print "template <>"; held = 0 }
/^template <>$/ { held = 1; next }

/^ *virtual .* = 0;  +\/\/ / { sub(/;  +\/\/ /, ";  ///< ") }
/^ *(using awaiter = |bool begin\(environment|bool failed\(\) const|void describe\(suspension_report)/ ||
/[ *&]take\(\)( const)?( noexcept)?( \{|;)/ { explain("A part of the protocol of what can be awaited; `co_await` calls it.") }

/^ *friend .*operator(==|<=>)\(.*= default;/ { explain("Compares all parts, in their order.") }
/^ *(explicit )?[a-z_]+\(([a-z_]+|owned<U>)&&( [a-z]+)?\)/ { explain("Takes all over; the other is empty afterwards.") }
/^ *[a-z_]+& operator=\([a-z_]+&&( [a-z]+)?\)/ { explain("Gives up what it has and takes all over; the other is empty afterwards.") }
/^ *[a-z_]+\(const [a-z_]+&( [a-z]+)?\);/ || /^ *[a-z_]+& operator=\(const [a-z_]+&( [a-z]+)?\);/ { explain("Copies all.") }
/^ *explicit [a-z_]+\((soquete::)?socket [a-z]+\)/ { explain("Takes over a socket that is of this kind.") }

/^ *bool is_open\(\) const/ { explain("Is it open? Not once it has been closed or moved from.") }
/^ *bool empty\(\) const/ { explain("Is there nothing in it?") }
/^ *std::size_t size\(\) const/ { explain("How many there are in it.") }
/^ *(const )?[a-z:_]+\*? (begin|data)\(\) const/ { explain("The first of them.") }
/^ *(const )?[a-z:_]+\*? end\(\) const/ { explain("Past the last of them.") }
/^ *using (value|difference)_type = / { explain("As the standard library asks for it.") }
/^ *int (descriptor|number)\(\) const/ { explain("The number by which the system knows it. It stays owned here.") }
/^ *[a-z_]+ options\(\)/ { explain("Its options; valid while it is.") }
/^ *result<endpoint> local\(\) const/ { explain("Our end.  Errors: bad_file_descriptor.  getsockname(2)") }
/^ *result<[^()]*> [a-z0-9_]+\(\) const/ { explain("What it is set to, or is by itself.  getsockopt(2)") }
/[ \]]send\(std::string_view [a-z]+[,)]/ || /[ \]]send_to\(const endpoint& to, std::string_view/ { explain("The same for text.") }
/[ \]&>]adopt\(.*\)( \{|;)/ { explain("The same, from another kind of owner or for another loop.") }
/^ *void close\(\) noexcept/ { explain("Closes now; once more does nothing.  close(2)") }
/^ *bool truncated\(\) const/ { explain("Was there no room for its end, which is lost?") }
/^ *(datagram operator\*\(\) const|iterator& operator\+\+\(\)|iterator operator\+\+\(int\))/ { explain("As iterators do.") }
/^ *friend [a-z:_]+;$/ { next }
/^ *(result<[^()]*> (set|get)|result<bool> flag)\((text_)?option which/ { explain("By name, as it crosses the seam.") }
/^ *std::size_t operator\(\)\(const/ { explain("Equal values have equal hashes.") }

{ gsub(/::ffff/, "\\&#58;\\&#58;ffff"); print; before = $0 }
