// Writes SVG: elements, one after the other.  SVG 1.1
#pragma once

#include <string>
#include <string_view>

namespace soquete::sim {

class svg {
 public:
  /// As it stands, but that each of these is replaced by the next of the numbers: "#".
  template <class... Numbers>
  svg& add(std::string_view form, Numbers... numbers) {
    (add_until_number(form, static_cast<int>(numbers)), ...);
    text_ += form;
    return *this;
  }

  /// As it stands.
  svg& raw(std::string_view text) {
    text_ += text;
    return *this;
  }

  /// Words, with what means something to XML written otherwise.
  svg& words(std::string_view raw) {
    for (const char c : raw) {
      switch (c) {
        case '&': text_ += "&amp;"; break;
        case '<': text_ += "&lt;"; break;
        case '>': text_ += "&gt;"; break;
        case '"': text_ += "&quot;"; break;
        default: text_ += c;
      }
    }
    return *this;
  }

  svg& title(std::string_view raw) { return add("<title>").words(raw).add("</title>"); }

  std::string take() { return std::move(text_); }

 private:
  void add_until_number(std::string_view& form, int number) {
    const std::size_t at = form.find('#');
    text_ += form.substr(0, at);
    text_ += std::to_string(number);
    form.remove_prefix(at + 1);
  }

  std::string text_;
};

}  // namespace soquete::sim
