// Looks for a row or a pair in the files of a finished curation. They may be large: they are read a
// line at a time, and only lines that hold the wanted id are parsed.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace selene::curate {

inline constexpr std::array<const char*, 3> kSplits = {"train", "validation", "test"};

// Calls `take` with each object of `file`, in order, that may be about the row or pair `id`, given
// with its source before it or without, until it returns false. A file that is not there has none.
void each_about(const std::filesystem::path& file, std::string_view id,
                const std::function<bool(const nlohmann::ordered_json& row)>& take);

// The first object; null where there is none.
nlohmann::ordered_json first_of(const std::filesystem::path& file);

// The value where it is a text, else an empty one.
std::string text_at(const nlohmann::ordered_json& object, const char* name);

// "creak/7" is what "creak/7" names, and "7" where no source's name is given.
bool names(std::string_view wanted, std::string_view id, std::string_view source);

// The id of the row that a pair was made of: "creak/7" of "creak/7#2".
std::string_view without_pair(std::string_view id);

// The ids of dropped rows and of pairs that are most like `id`, the nearest first; at most `most`.
// Those that begin with it or hold it come before those that are a few letters away.
std::vector<std::string> nearest_ids(const std::filesystem::path& folder, std::string_view id,
                                     std::size_t most);

}  // namespace selene::curate
