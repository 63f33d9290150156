// Where the pictures and captures of a history go.
#include "world/drawing.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "world/capture.hpp"
#include "world/picture.hpp"

namespace soquete::sim {

result<void> write_file(const std::string& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (out) return {};
  error why(std::errc::io_error, step::none);
  why.set_detail("cannot write " + path);
  return fail(std::move(why));
}

const char* picture_folder() noexcept {
  const char* const folder = std::getenv("SOQUETE_SIM_DRAW");
  return folder == nullptr || *folder == '\0' ? nullptr : folder;
}

std::string draw_into(const std::string& folder, const recording& what, const caption& about) {
  std::string file = about.name + "-" + std::to_string(about.seed);
  for (char& c : file) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_plain && c != '.' && c != '-') c = '_';
  }
  const std::string path = (std::filesystem::path(folder) / file).string();
  std::error_code none;  // What comes of it shows when the files are written.
  std::filesystem::create_directories(folder, none);
  std::string told;
  const auto write = [&](const std::string& kind, const std::string& content) {
    if (const auto written = write_file(path + kind, content); written)
      told += "drawn: " + path + kind + "\n";
    else
      told += "not drawn: " + to_string(written.error()) + "\n";
  };
  write(".svg", picture_of(what, about));
  write(".pcapng", capture_of(what, about));
  return told;
}

}  // namespace soquete::sim
