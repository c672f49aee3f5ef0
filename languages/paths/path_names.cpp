// Splits and joins relative paths.

#include "languages/paths/path_names.hpp"

#include <vector>

namespace cohort::languages {

std::string_view name_of(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view folder_of(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view stem_of(std::string_view path) noexcept {
  const auto name = name_of(path);
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

std::string_view extension_of(std::string_view path) noexcept {
  const auto name = name_of(path);
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(dot);
}

std::string joined_path(std::string_view folder, std::string_view rest) {
  if (folder.empty()) return std::string{rest};
  if (rest.empty()) return std::string{folder};
  return std::string{folder} + "/" + std::string{rest};
}

std::string normal_path(std::string_view folder, std::string_view path) {
  if (folder.size() > longest_path || path.size() > longest_path) return {};
  std::vector<std::string_view> parts;
  bool outside = false;
  const auto take = [&](std::string_view from) {
    for (size_t begin = 0; begin <= from.size();) {
      auto end = from.find('/', begin);
      if (end == std::string_view::npos) end = from.size();
      const auto part = from.substr(begin, end - begin);
      if (part == "..") {
        outside = outside || parts.empty();
        if (!parts.empty()) parts.pop_back();
      } else if (!part.empty() && part != ".") {
        parts.push_back(part);
      }
      begin = end + 1;
    }
  };
  take(folder);
  take(path);
  if (outside) return {};
  std::string result;
  for (const auto part : parts) {
    if (!result.empty()) result += '/';
    result += part;
  }
  return result.empty() ? "." : result;
}

}  // namespace cohort::languages
