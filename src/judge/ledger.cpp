#include "judge/ledger.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "data/database.h"

namespace selene::judge {
namespace {

// Records in memory as text, to be read on several threads.
constexpr std::size_t kFoundAtOnce = 1'024;

constexpr const char* kSchema = R"(
CREATE TABLE engines (id INTEGER PRIMARY KEY, name TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
                      UNIQUE (name, model, version));
CREATE TABLE records (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, engine INTEGER NOT NULL REFERENCES engines (id),
                      created INTEGER NOT NULL DEFAULT (unixepoch()), record TEXT NOT NULL);
)";

constexpr data::DatabaseKind kLedger{
    .application_id = 0x53454C6A,  // "SELj"
    .format = 1,
    .schema = kSchema,
    .name = "ledger",
    .another = "name another with --ledger FILE",
    .instead = "give --ledger FILE or --no-ledger",
    .other_format = "use the program that wrote it, or another --ledger FILE"};

// 64 hex digits as 32 bytes.
std::string key_bytes(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

struct Ledger::State {
  data::Database database;
  data::Statement find{database, "SELECT record FROM records WHERE key = ?1"};
  data::Statement add_engine{
      database, "INSERT OR IGNORE INTO engines (name, model, version) VALUES (?1, ?2, ?3)"};
  data::Statement add{
      database,
      "INSERT OR IGNORE INTO records (key, engine, record) VALUES (?1, (SELECT id FROM engines "
      "WHERE name = ?2 AND model = ?3 AND version = ?4), ?5)"};
  std::function<void(const Error&)> tell_of_damage;
  std::set<std::string> damaged;  // Keys that were passed over.

  State(std::filesystem::path file, std::chrono::milliseconds patience)
      : database(std::move(file), kLedger, patience) {}

  std::string path() const { return database.path().string(); }
  Record read(std::string_view key, std::string_view text) const;
  std::optional<std::string> text_of(const std::string& key);
  void pass_over(const std::string& key, const Error& damage);
  void remove(std::string_view key) const;
  std::pair<std::string, std::string> look_up(std::string_view key) const;
};

// A record as it stands in the file.
Record Ledger::State::read(std::string_view key, std::string_view text) const {
  try {
    Record record = record_from_json(text);
    if (record.key != key) throw Error("it is the record of another key");
    return record;
  } catch (const Error& failure) {
    throw Error(fmt::format("the ledger is damaged at record {}: {}", key, failure.message()),
                path(),
                fmt::format("remove the record: selene ledger prune {} --ledger {}", key, path()));
  }
}

// The record of a key as it stands in the file.
std::optional<std::string> Ledger::State::text_of(const std::string& key) {
  const std::string bytes = key_bytes(key);
  find.bind_blob(1, bytes);
  std::optional<std::string> text;
  if (find.step()) text = find.text(0);
  find.reset();
  return text;
}

void Ledger::State::pass_over(const std::string& key, const Error& damage) {
  if (!tell_of_damage) throw damage;
  if (damaged.insert(key).second) tell_of_damage(damage);
}

Ledger::Ledger(std::filesystem::path path, std::chrono::milliseconds patience)
    : state_(std::make_unique<State>(std::move(path), patience)) {}

Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;

std::filesystem::path Ledger::default_path() { return data_dir() / "ledger.sqlite"; }
const std::filesystem::path& Ledger::path() const { return state_->database.path(); }

std::vector<std::optional<engine::Result>> Ledger::find(std::span<const std::string> keys) {
  std::vector<std::optional<engine::Result>> results(keys.size());
  for (std::size_t first = 0; first < keys.size(); first += kFoundAtOnce) {
    const auto batch = keys.subspan(first, std::min(kFoundAtOnce, keys.size() - first));
    std::vector<std::optional<std::string>> texts;
    for (const std::string& key : batch) texts.push_back(state_->text_of(key));
    std::vector<std::optional<Error>> damages(batch.size());
    parallel_for(batch.size(), machine_threads(), [&](std::size_t i) {
      if (!texts[i]) return;
      try {
        results[first + i] = state_->read(batch[i], *texts[i]).result;
      } catch (const Error& damage) {
        damages[i] = damage;
      }
    });
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (damages[i]) state_->pass_over(batch[i], *damages[i]);
    }
  }
  return results;
}

void Ledger::pass_over_damage(std::function<void(const Error&)> tell) {
  state_->tell_of_damage = std::move(tell);
}

void Ledger::put(std::span<const Record> records) {
  if (records.empty()) return;
  data::Transaction transaction(state_->database);
  const engine::EngineId* known = nullptr;  // A batch mostly comes from one engine.
  for (const Record& record : records) {
    const std::string bytes = key_bytes(record.key);
    const std::string text = record_to_json(record);
    const std::string_view engine[] = {record.engine.name, record.engine.model,
                                       record.engine.version};
    if (known == nullptr || *known != record.engine) {
      for (int i = 0; i < 3; ++i) state_->add_engine.bind(i + 1, engine[i]);
      state_->add_engine.run();
      known = &record.engine;
    }
    if (state_->damaged.erase(record.key) > 0) state_->remove(record.key);
    state_->add.bind_blob(1, bytes);
    for (int i = 0; i < 3; ++i) state_->add.bind(i + 2, engine[i]);
    state_->add.bind(5, text);
    state_->add.run();
  }
  transaction.commit();
}

bool Ledger::could_be_key(std::string_view key) {
  return key.size() >= 6 && key.size() <= 64 &&
         key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The whole key, and the record's text.
std::pair<std::string, std::string> Ledger::State::look_up(std::string_view key) const {
  if (!could_be_key(key))
    throw Error(fmt::format("'{}' is not a record's key", key), "",
                "give at least 6 of its 64 hex digits");
  data::Statement statement(database,
                            "SELECT lower(hex(key)), record FROM records "
                            "WHERE hex(key) LIKE ?1 LIMIT 2");
  std::string pattern(key);
  std::transform(pattern.begin(), pattern.end(), pattern.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  pattern += "%";
  statement.bind(1, pattern);
  if (!statement.step())
    throw Error(fmt::format("no record begins with '{}'", key), path(),
                "a judgment with parts is no record: give the key of one of its parts");
  const std::string whole_key = statement.text(0);
  const std::string text = statement.text(1);
  if (statement.step())
    throw Error(fmt::format("several records begin with '{}'", key), path(), "give more digits");
  return {whole_key, text};
}

Record Ledger::get(std::string_view key) {
  const auto [whole_key, text] = state_->look_up(key);
  return state_->read(whole_key, text);
}

std::uint64_t Ledger::remove(std::span<const std::string> keys) {
  data::Transaction transaction(state_->database);
  std::set<std::string> whole_keys;
  for (const std::string& key : keys) whole_keys.insert(state_->look_up(key).first);
  for (const std::string& key : whole_keys) state_->remove(key);
  transaction.commit();
  return whole_keys.size();
}

void Ledger::State::remove(std::string_view key) const {
  const std::string bytes = key_bytes(key);
  data::Statement(database, "DELETE FROM records WHERE key = ?1").bind_blob(1, bytes).step();
}

Ledger::Stats Ledger::stats() {
  const data::Database& database = state_->database;
  Stats stats;
  stats.records = static_cast<std::uint64_t>(database.number("SELECT count(*) FROM records"));
  stats.bytes = static_cast<std::uint64_t>(database.number("PRAGMA page_count") *
                                           database.number("PRAGMA page_size"));
  if (stats.records > 0) {
    data::Statement times(database,
                          "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', min(created), 'unixepoch'), "
                          "strftime('%Y-%m-%dT%H:%M:%SZ', max(created), 'unixepoch') FROM records");
    times.step();
    stats.oldest = times.text(0);
    stats.newest = times.text(1);
  }
  data::Statement engines(
      database,
      "SELECT name, model, version, count(*) FROM records JOIN engines ON engines.id = engine "
      "GROUP BY engines.id ORDER BY 4 DESC");
  while (engines.step()) {
    stats.engines.push_back({engines.text(0), engines.text(1), engines.text(2),
                             static_cast<std::uint64_t>(engines.number(3))});
  }
  return stats;
}

void Ledger::each(const std::function<void(const Record&)>& visit,
                  const std::function<void(const std::string& key, const Error&)>& damaged) {
  data::Statement statement(state_->database,
                            "SELECT lower(hex(key)), record FROM records ORDER BY id");
  while (statement.step()) {
    const std::string key = statement.text(0);
    std::optional<Record> record;
    try {
      record = state_->read(key, statement.text(1));
    } catch (const Error& failure) {
      if (!damaged) throw;
      damaged(key, failure);
    }
    if (record) visit(*record);
  }
}

std::uint64_t Ledger::prune(std::string_view model, double days) {
  const data::Database& database = state_->database;
  data::Transaction transaction(database);
  // "endpoint:NAME" or "endpoint:NAME (details)".
  data::Statement statement(
      database,
      "DELETE FROM records WHERE created <= unixepoch() - ?1 AND engine IN "
      "(SELECT id FROM engines WHERE model = ?2 OR substr(model, 1, length(?3)) = ?3)");
  const std::string beginning =
      could_be_key(model) || model.empty() ? std::string(model) : std::string(model) + " (";
  statement.bind(1, static_cast<std::int64_t>(days * 86'400)).bind(2, model).bind(3, beginning);
  statement.run();
  const std::int64_t removed = database.changes();
  transaction.commit();
  database.run("VACUUM");
  return static_cast<std::uint64_t>(removed);
}

}  // namespace selene::judge
