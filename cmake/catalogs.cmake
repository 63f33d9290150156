# Translations become a part of the command: po/LINGUAS and po/*.po are made one C++ file, at each configuration,
# which a changed .po starts. Strings and plural rules of a .po file are those of C, so only what stands around
# them changes, and no tool is needed. docs/decisions.md says why there are no .mo files.

function(soquete_read_catalog language messages form)
  set(po "${PROJECT_SOURCE_DIR}/po/${language}.po")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${po}")
  file(READ "${po}" text)
  if(NOT text MATCHES "nplurals=[0-9]+; *plural=([^;]+);")
    message(FATAL_ERROR "${po}: Plural-Forms is missing")
  endif()
  set(${form} "${CMAKE_MATCH_1}" PARENT_SCOPE)
  string(REGEX REPLACE "\n#[^\n]*" "" text "\n${text}")
  string(REPLACE "\nmsgid_plural " "\n, " text "${text}")
  string(REPLACE "\nmsgid " "\n}}, {" text "${text}")
  string(REPLACE "\nmsgstr " "\n, nullptr, {" text "${text}")
  string(REPLACE "\nmsgstr[0] " "\n, {" text "${text}")
  string(REGEX REPLACE "\nmsgstr\\[[1-9]\\] " "\n, " text "${text}")
  # The first entry closes one that was opened here.
  set(${messages} "{{nullptr, nullptr, {nullptr${text}}}}" PARENT_SCOPE)
endfunction()

# Adds the catalogs to a target that has apps/soquete among its include directories.
function(soquete_add_catalogs target)
  set(linguas "${PROJECT_SOURCE_DIR}/po/LINGUAS")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${linguas}")
  file(STRINGS "${linguas}" languages REGEX "^[a-z]")
  set(tables "")
  set(entries "")
  foreach(language IN LISTS languages)
    soquete_read_catalog(${language} messages form)
    string(APPEND tables
      "constexpr message ${language}_messages[] = ${messages};\n\n"
      "unsigned long ${language}_form([[maybe_unused]] unsigned long n) {\n"
      "  return static_cast<unsigned long>(${form});\n}\n\n")
    string(APPEND entries "    {\"${language}\", ${language}_messages, &${language}_form},\n")
  endforeach()
  set(whole "// Made from po/*.po by cmake/catalogs.cmake.\n#include \"catalog.hpp\"\n\nnamespace command {\nnamespace {\n
${tables}constexpr catalog all[] = {\n${entries}};\n\n}  // namespace\n
std::span<const catalog> catalogs() { return all; }\n\n}  // namespace command\n")
  set(file "${PROJECT_BINARY_DIR}/catalogs.cpp")
  file(CONFIGURE OUTPUT "${file}" CONTENT "@whole@" @ONLY)
  target_sources(${target} PRIVATE "${file}")
endfunction()
