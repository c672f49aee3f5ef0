// A temporary folder for each test.
#pragma once

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "cluster/certificate_authority.hpp"

namespace cohort::cluster {

struct folder_fixture : ::testing::Test {
  std::filesystem::path root = std::filesystem::temp_directory_path() / ("cohort-cluster-" + random_hex(6));
  folder_fixture() { std::filesystem::create_directories(root); }
  ~folder_fixture() override { std::filesystem::remove_all(root); }

  /// What a node's machine gets.
  std::filesystem::path copy_for(const std::filesystem::path& cluster, const std::string& node) const {
    const auto folder = root / ("copy-for-" + node);
    std::filesystem::create_directories(folder);
    for (const auto& file : {std::string{"ca.crt"}, node + ".crt", node + ".key"})
      std::filesystem::copy_file(cluster / file, folder / file, std::filesystem::copy_options::overwrite_existing);
    return folder;
  }
};

}  // namespace cohort::cluster
