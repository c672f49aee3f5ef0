// A simulator in the process and a small libcurl client for it.
#pragma once

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "simulator/server/simulator.hpp"

namespace cohort::simulator::fixture {

using nlohmann::json;

struct http_answer {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::map<std::string, std::string> headers;  ///< Lower-case names.
  std::string body;
  [[nodiscard]] json parsed() const { return json::parse(body, nullptr, false); }
  [[nodiscard]] std::string error_type() const {
    const auto x = parsed();
    return x.is_object() && x.contains("error") ? x["error"].value("type", "") : "";
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    const auto x = parsed();
    for (const auto& block : x.at("content"))
      if (block.at("type") == "text") all += block.at("text").get<std::string>();
    return all;
  }
};

struct http_request {
  std::string method = "POST";
  std::string path = "/v1/messages";
  std::vector<std::string> headers{"x-api-key: test-key", "anthropic-version: 2023-06-01"};
  std::string body;
  long timeout_ms = 20'000;
};

/// One keep-alive client.
class test_client {
 public:
  explicit test_client(std::string base) : base_(std::move(base)), handle_(curl_easy_init(), curl_easy_cleanup) {}

  http_answer send(const http_request& request) {
    http_answer answer;
    CURL* h = handle_.get();
    curl_easy_reset(h);
    const std::string url = base_ + request.path;
    curl_slist* headers = nullptr;
    for (const auto& line : request.headers) headers = curl_slist_append(headers, line.c_str());
    curl_easy_setopt(h, CURLOPT_URL, url.c_str());
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (request.method == "POST") {
      curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
      curl_easy_setopt(h, CURLOPT_POSTFIELDS, request.body.data());
    }
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, request.timeout_ms);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, &header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, &answer.headers);
    answer.code = curl_easy_perform(h);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all(headers);
    return answer;
  }

  http_answer post(const json& body) {
    http_request request;
    request.body = body.dump();
    return send(request);
  }

 private:
  static size_t append(char* data, size_t size, size_t count, void* out) {
    static_cast<std::string*>(out)->append(data, size * count);
    return size * count;
  }
  static size_t header(char* data, size_t size, size_t count, void* out) {
    std::string line{data, size * count};
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) {
      std::string name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      (*static_cast<std::map<std::string, std::string>*>(out))[name] = line.substr(colon + 2, line.size() - colon - 4);
    }
    return size * count;
  }

  std::string base_;
  std::unique_ptr<CURL, void (*)(CURL*)> handle_;
};

inline json message(const std::string& prompt, uint32_t max_tokens = 4000) {
  return {{"model", "claude-haiku-5-5"},
          {"max_tokens", max_tokens},
          {"messages", json::array({{{"role", "user"}, {"content", prompt}}})}};
}

/// A folder that is gone with the test.
class scratch_folder {
 public:
  scratch_folder() : path_(std::filesystem::temp_directory_path() / ("cohort-simulator-" + random_hex(6))) {
    std::filesystem::create_directories(path_);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Starts a simulator with `rules` and a bill.
class simulator_test : public testing::Test {
 protected:
  void serve(scenario rules = {}) {
    simulator_options options;
    options.rules = std::move(rules);
    options.bill = folder_.path() / "bill.jsonl";
    auto started = simulator::start(options);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
    client_ = std::make_unique<test_client>(server_->base_url());
  }
  [[nodiscard]] std::vector<json> bill() const {
    std::vector<json> lines;
    std::ifstream file{folder_.path() / "bill.jsonl"};
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }
  test_client& client() { return *client_; }
  simulator& server() { return *server_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  scratch_folder folder_;
  std::unique_ptr<simulator> server_;
  std::unique_ptr<test_client> client_;
};

}  // namespace cohort::simulator::fixture
