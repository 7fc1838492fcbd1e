#include "data/input_rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

// A temporary file with the bytes of a pipe, or of one row; removed with the last owner.
class Spool {
 public:
  Spool() : name_((std::filesystem::temp_directory_path() / "selene-XXXXXX").string()) {
    descriptor_ = ::mkstemp(name_.data());
    if (descriptor_ < 0)
      throw Error(fmt::format("cannot make a temporary file: {}", errno_text(errno)), name_);
  }
  ~Spool() {
    ::close(descriptor_);
    ::unlink(name_.c_str());
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  const std::string& name() const { return name_; }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw Error(fmt::format("cannot write: {}", errno_text(errno)), name_);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }

  // `name` is what errors call it.
  void copy(int input, const std::string& name) {
    std::string buffer(1 << 16, '\0');
    for (;;) {
      const ssize_t got = ::read(input, buffer.data(), buffer.size());
      if (got < 0) throw Error(fmt::format("cannot read: {}", errno_text(errno)), name);
      if (got == 0) return;
      write({buffer.data(), static_cast<size_t>(got)});
    }
  }

 private:
  std::string name_;
  int descriptor_ = -1;
};

std::shared_ptr<Spool> spool_of_file(const std::string& path) {
  struct Input {
    int descriptor;
    ~Input() { ::close(descriptor); }
  } const input{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (input.descriptor < 0) throw Error(fmt::format("cannot read: {}", errno_text(errno)), path);
  auto spool = std::make_shared<Spool>();
  spool->copy(input.descriptor, path);
  return spool;
}

// A pipe, a terminal, what a shell's <(…) gives: it can be read once only.
bool can_be_read_once(const std::string& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

// The fields that the command line gave, as JSON.
std::string json_text(const Json& fields) {
  try {
    return fields.dump();
  } catch (const Json::type_error&) {
    throw UsageError("invalid UTF-8 in a flag", "<command line>");
  }
}

constexpr size_t kShownErrors = 5;

// Several rows' errors as one, a line each.
Error all_of(const std::vector<Error>& wrong, size_t more) {
  if (wrong.size() == 1) return wrong.front();
  std::string text;
  for (const Error& one : wrong) text += fmt::format("{}{}", text.empty() ? "" : "\n", one.what());
  if (more > 0) text += fmt::format("\nand {} more", more);
  return Error(text);
}

}  // namespace

InputRows::InputRows(const std::string& path, Json fields)
    : name_(path), path_(path), fields_(std::move(fields)) {
  json_text(fields_);
  std::shared_ptr<Spool> spool;
  if (path == "-") {
    name_ = "<stdin>";
    spool = std::make_shared<Spool>();
    spool->copy(STDIN_FILENO, name_);
  } else if (can_be_read_once(path)) {
    spool = spool_of_file(path);
  } else {
    return;
  }
  path_ = spool->name();
  spool_ = std::move(spool);
}

InputRows::InputRows(Json fields) : name_("<command line>") {
  auto spool = std::make_shared<Spool>();
  spool->write(json_text(fields) + "\n");
  path_ = spool->name();
  spool_ = std::move(spool);
}

InputRows InputRows::from_text(std::string_view text, std::string name) {
  auto spool = std::make_shared<Spool>();
  spool->write(text);
  InputRows rows;
  rows.name_ = std::move(name);
  rows.path_ = spool->name();
  rows.fields_ = Json::object();
  rows.spool_ = std::move(spool);
  return rows;
}

Sample InputRows::to_sample(const Row& row) const {
  Json value = row.value;
  for (const auto& [key, field] : fields_.items()) value[key] = field;
  return sample_from_json(value, row.line);
}

size_t InputRows::check_all() const {
  JsonlReader reader(path_, name_);
  std::unordered_map<std::string, size_t> line_of;
  std::vector<Error> wrong;
  size_t more = 0;
  Row row;
  while (reader.next(row)) {
    try {
      const Sample sample = to_sample(row);
      const auto [first, added] = line_of.emplace(sample.id, row.line);
      if (!added) {
        throw Error(fmt::format("the id '{}' was used in line {}", cut_to_columns(sample.id, 60),
                                first->second),
                    "", "give each row an id of its own, or none");
      }
    } catch (const Error& failure) {
      if (wrong.size() < kShownErrors) {
        wrong.push_back(failure.at(reader.place()));
      } else {
        ++more;
      }
    }
  }
  if (!wrong.empty()) throw all_of(wrong, more);
  if (line_of.empty()) throw Error("there are no rows", name_, "write one JSON object a line");
  return line_of.size();
}

std::string InputRows::digest() const { return sha256(sha256_file(path_) + json_text(fields_)); }

InputRows::Reader::Reader(const InputRows& rows) : rows_(rows), reader_(rows.path_, rows.name_) {}

std::vector<Sample> InputRows::Reader::next(size_t count) {
  std::vector<Sample> samples;
  places_.clear();
  Row row;
  while (samples.size() < count && reader_.next(row)) {
    samples.push_back(rows_.to_sample(row));
    places_.push_back(reader_.place());
  }
  return samples;
}

void InputRows::Reader::skip(size_t count) {
  Row row;
  while (count > 0 && reader_.next(row)) --count;
}

std::string InputRows::Reader::place(size_t index) const { return places_.at(index); }

}  // namespace selene::data
