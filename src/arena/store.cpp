#include "arena/store.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "data/sample_row.h"

namespace selene::arena {
namespace {

using data::Statement;

constexpr const char* kSchema = R"(
CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE judges (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, about TEXT NOT NULL DEFAULT '');
CREATE TABLE samples (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, category TEXT NOT NULL,
                      sample TEXT NOT NULL);
CREATE TABLE judgments (id INTEGER PRIMARY KEY, sample INTEGER NOT NULL REFERENCES samples, judge INTEGER NOT NULL REFERENCES judges,
                        key TEXT NOT NULL, label TEXT NOT NULL, critique TEXT NOT NULL, judgment TEXT NOT NULL,
                        UNIQUE (sample, judge));
CREATE TABLE voters (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE);
CREATE TABLE offers (id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, judgment_a INTEGER NOT NULL REFERENCES judgments,
                     judgment_b INTEGER NOT NULL REFERENCES judgments, voter INTEGER NOT NULL REFERENCES voters,
                     session TEXT NOT NULL, time INTEGER NOT NULL);
CREATE INDEX offers_by_voter ON offers (voter);
CREATE TABLE votes (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, panel INTEGER NOT NULL,
                    judge_a INTEGER NOT NULL REFERENCES judges, judge_b INTEGER NOT NULL REFERENCES judges,
                    outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 3), voter INTEGER REFERENCES voters,
                    session TEXT NOT NULL, time INTEGER NOT NULL, taken INTEGER, category TEXT NOT NULL, sample TEXT NOT NULL,
                    judgment_a TEXT NOT NULL, judgment_b TEXT NOT NULL, source TEXT NOT NULL,
                    offer INTEGER UNIQUE REFERENCES offers);
CREATE TABLE tombstones (vote INTEGER NOT NULL UNIQUE REFERENCES votes, reason TEXT NOT NULL, time INTEGER NOT NULL);
CREATE TRIGGER votes_stay BEFORE DELETE ON votes BEGIN SELECT RAISE(ABORT, 'a vote is never deleted'); END;
CREATE TRIGGER votes_stand BEFORE UPDATE ON votes BEGIN SELECT RAISE(ABORT, 'a vote is never changed'); END;
CREATE TRIGGER offers_stay BEFORE DELETE ON offers BEGIN SELECT RAISE(ABORT, 'an offer is never deleted'); END;
CREATE TRIGGER offers_stand BEFORE UPDATE ON offers BEGIN SELECT RAISE(ABORT, 'an offer is never changed'); END;
CREATE TRIGGER tombstones_stay BEFORE DELETE ON tombstones BEGIN SELECT RAISE(ABORT, 'a tombstone is never deleted'); END;
CREATE TRIGGER tombstones_stand BEFORE UPDATE ON tombstones BEGIN SELECT RAISE(ABORT, 'a tombstone is never changed'); END;
)";

constexpr data::DatabaseKind kArena{.application_id = 0x53454C61,  // "SELa"
                                    .format = 1,
                                    .schema = kSchema,
                                    .name = "arena",
                                    .another = "name another file",
                                    .instead = "name another file",
                                    .other_format = "use the program that wrote it"};
constexpr const char* kSalt = "salt";
constexpr std::string_view kPanelSource = "panel";

std::string category_of(const data::Sample& sample) {
  const auto named = sample.extra.find("category");
  if (named != sample.extra.end() && named->is_string()) return named->get<std::string>();
  return sample.group.value_or("");
}

}  // namespace

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size()))
    throw Error(fmt::format("the system gives no random numbers: {}", errno_text(errno)));
  std::string text;
  for (const char byte : raw) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

struct Store::State {
  data::Database database;
  std::string salt;
  std::unordered_map<std::string, RowId> judge_ids;
  std::unordered_map<std::string, RowId> voter_ids;

  State(std::filesystem::path path, std::chrono::milliseconds patience, data::Opening opening)
      : database(std::move(path), kArena, patience, opening) {}

  // Ids that a transaction which was rolled back gave are none.
  void forget_ids() {
    judge_ids.clear();
    voter_ids.clear();
  }
  std::string path() const { return database.path().string(); }
  Statement prepare(const char* sql) const { return Statement(database, sql); }

  // The row of a name in a table, added where it is not there.
  RowId id_of(std::string_view name, const char* find, const char* add,
              std::unordered_map<std::string, RowId>& known) const {
    const std::string key(name);
    const auto at = known.find(key);
    if (at != known.end()) return at->second;
    Statement look = prepare(find);
    if (!look.bind(1, key).step()) {
      prepare(add).bind(1, key).step();
      return known[key] = database.last_id();
    }
    return known[key] = look.number(0);
  }
  RowId judge(std::string_view name) {
    return id_of(name, "SELECT id FROM judges WHERE name = ?1",
                 "INSERT INTO judges (name) VALUES (?1)", judge_ids);
  }
  RowId voter(std::string_view hash) {
    return id_of(hash, "SELECT id FROM voters WHERE hash = ?1",
                 "INSERT INTO voters (hash) VALUES (?1)", voter_ids);
  }
  void bury(RowId vote, std::string_view reason, std::int64_t time_ms) const {
    prepare("INSERT OR IGNORE INTO tombstones (vote, reason, time) VALUES (?1, ?2, ?3)")
        .bind(1, vote)
        .bind(2, reason)
        .bind(3, time_ms)
        .step();
  }
};

Store::Store(std::filesystem::path path, data::Opening opening, std::chrono::milliseconds patience)
    : state_(std::make_unique<State>(std::move(path), patience, opening)) {
  data::Transaction transaction(state_->database);
  state_->salt = note(kSalt);
  if (state_->salt.empty()) set_note(kSalt, state_->salt = random_hex(16));
  transaction.commit();
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
const std::filesystem::path& Store::path() const { return state_->database.path(); }

// --- the pool ---

std::size_t Store::add_samples(std::span<const data::Sample> samples) {
  data::Transaction transaction(state_->database);
  Statement add = state_->prepare(
      "INSERT OR IGNORE INTO samples (digest, name, category, sample) VALUES (?1, ?2, ?3, ?4)");
  std::size_t added = 0;
  for (const data::Sample& sample : samples) {
    const std::string json = data::to_json(sample).dump();
    const std::string digest = sha256(json);
    const std::string category = category_of(sample);
    add.bind(1, digest).bind(2, sample.id).bind(3, category).bind(4, json).run();
    added += static_cast<std::size_t>(state_->database.changes());
  }
  transaction.commit();
  return added;
}

std::vector<StoredSample> Store::samples() {
  std::vector<StoredSample> result;
  Statement rows =
      state_->prepare("SELECT id, digest, name, category, sample FROM samples ORDER BY id");
  while (rows.step())
    result.push_back({.id = rows.number(0),
                      .digest = rows.text(1),
                      .name = rows.text(2),
                      .category = rows.text(3),
                      .json = rows.text(4)});
  return result;
}

StoredSample Store::sample(RowId id) {
  Statement row =
      state_->prepare("SELECT id, digest, name, category, sample FROM samples WHERE id = ?1");
  ensure(row.bind(1, id).step(), "a sample that the arena has not");
  return {.id = row.number(0),
          .digest = row.text(1),
          .name = row.text(2),
          .category = row.text(3),
          .json = row.text(4)};
}

RowId Store::add_judge(std::string_view name, std::string_view about) {
  data::Transaction transaction(state_->database);
  state_->forget_ids();
  const RowId id = state_->judge(name);
  Statement look = state_->prepare("SELECT about FROM judges WHERE id = ?1");
  look.bind(1, id).step();
  const std::string before = look.text(0);
  look.reset();
  if (!before.empty() && !about.empty() && before != about)
    throw Error(fmt::format("the judge '{}' is here already, made of something else", name),
                state_->path(), "give this one another name");
  if (before.empty() && !about.empty())
    state_->prepare("UPDATE judges SET about = ?1 WHERE id = ?2").bind(1, about).bind(2, id).step();
  transaction.commit();
  return id;
}

std::vector<std::pair<RowId, std::string>> Store::judges() {
  std::vector<std::pair<RowId, std::string>> result;
  Statement rows = state_->prepare("SELECT id, name FROM judges ORDER BY name");
  while (rows.step()) result.emplace_back(rows.number(0), rows.text(1));
  return result;
}

std::size_t Store::add_judgments(RowId judge, std::span<const Judged> judgments) {
  data::Transaction transaction(state_->database);
  Statement add = state_->prepare(
      "INSERT OR IGNORE INTO judgments (sample, judge, key, label, critique, judgment) VALUES (?1, "
      "?2, ?3, ?4, ?5, ?6)");
  std::size_t added = 0;
  for (const Judged& one : judgments) {
    const data::Judgment& judgment = *one.judgment;
    const std::string json = data::to_json(judgment).dump();
    const std::string label = judgment.label.value_or("");
    add.bind(1, one.sample).bind(2, judge).bind(3, judgment.key).bind(4, label);
    add.bind(5, judgment.critique).bind(6, json).run();
    added += static_cast<std::size_t>(state_->database.changes());
  }
  transaction.commit();
  return added;
}

std::vector<StoredJudgment> Store::judgments() {
  std::vector<StoredJudgment> result;
  Statement rows = state_->prepare(
      "SELECT id, sample, judge, key, label, critique FROM judgments ORDER BY sample, judge");
  while (rows.step())
    result.push_back({.id = rows.number(0),
                      .sample = rows.number(1),
                      .judge = rows.number(2),
                      .key = rows.text(3),
                      .label = rows.text(4),
                      .critique = rows.text(5),
                      .json = ""});
  return result;
}

StoredJudgment Store::judgment(RowId id) {
  Statement row = state_->prepare(
      "SELECT id, sample, judge, key, label, critique, judgment FROM judgments WHERE id = ?1");
  ensure(row.bind(1, id).step(), "a judgment that the arena has not");
  return {.id = row.number(0),
          .sample = row.number(1),
          .judge = row.number(2),
          .key = row.text(3),
          .label = row.text(4),
          .critique = row.text(5),
          .json = row.text(6)};
}

// --- voting ---

std::string Store::voter_hash(std::string_view who) {
  return sha256(state_->salt + std::string(who)).substr(0, 32);
}

namespace {

// Commits without a sync of their own: what they wrote survives a kill, and a power cut once a
// later vote is durable.
class Unsynced {
 public:
  explicit Unsynced(const data::Database& database) : database_(database) {
    database_.run("PRAGMA synchronous = NORMAL");
  }
  ~Unsynced() {
    try {
      database_.run("PRAGMA synchronous = FULL");
    } catch (const Error&) {  // It changes a setting of this connection: nothing can be in its way.
    }
  }
  Unsynced(const Unsynced&) = delete;
  Unsynced& operator=(const Unsynced&) = delete;

 private:
  const data::Database& database_;
};

}  // namespace

void Store::add_offer(const Offer& offer) {
  const Unsynced quick(
      state_->database);  // A lost offer costs a voter one pair, a sync each of them.
  data::Transaction transaction(state_->database);
  state_->forget_ids();
  const RowId voter = state_->voter(offer.voter);
  state_
      ->prepare(
          "INSERT INTO offers (token, judgment_a, judgment_b, voter, session, time) VALUES (?1, "
          "?2, ?3, ?4, ?5, ?6)")
      .bind(1, offer.token)
      .bind(2, offer.judgment_a)
      .bind(3, offer.judgment_b)
      .bind(4, voter)
      .bind(5, offer.session)
      .bind(6, offer.time_ms)
      .step();
  transaction.commit();
}

namespace {

constexpr const char* kOfferColumns =
    "SELECT offers.id, token, offers.judgment_a, offers.judgment_b, hash, offers.session, "
    "offers.time, votes.id IS NOT NULL FROM offers JOIN voters ON voters.id = offers.voter LEFT "
    "JOIN votes ON votes.offer = offers.id ";

std::optional<Store::Open> read_offer(Statement& row) {
  if (!row.step()) return std::nullopt;
  return Store::Open{.id = row.number(0),
                     .offer = {.token = row.text(1),
                               .judgment_a = row.number(2),
                               .judgment_b = row.number(3),
                               .voter = row.text(4),
                               .session = row.text(5),
                               .time_ms = row.number(6)},
                     .voted = row.number(7) != 0};
}

}  // namespace

std::optional<Store::Open> Store::find_offer(std::string_view token) {
  const std::string sql = std::string(kOfferColumns) + "WHERE token = ?1";
  Statement row = state_->prepare(sql.c_str());
  row.bind(1, token);
  return read_offer(row);
}

std::optional<Store::Open> Store::open_offer(std::string_view voter) {
  const std::string sql = std::string(kOfferColumns) +
                          "WHERE hash = ?1 AND votes.id IS NULL ORDER BY offers.id DESC LIMIT 1";
  Statement row = state_->prepare(sql.c_str());
  row.bind(1, voter);
  return read_offer(row);
}

std::vector<std::pair<RowId, RowId>> Store::offered(std::string_view voter) {
  std::vector<std::pair<RowId, RowId>> result;
  Statement rows = state_->prepare(
      "SELECT min(judgment_a, judgment_b), max(judgment_a, judgment_b) FROM offers JOIN voters ON "
      "voters.id = voter WHERE hash = ?1");
  rows.bind(1, voter);
  while (rows.step()) result.emplace_back(rows.number(0), rows.number(1));
  return result;
}

void Store::vote(const Open& open, Outcome outcome, std::string_view source, std::int64_t time_ms,
                 std::int64_t taken_ms) {
  data::Transaction transaction(state_->database);
  const std::string digest = sha256("offer " + open.offer.token);
  Statement add = state_->prepare(
      "INSERT OR IGNORE INTO votes (digest, panel, judge_a, judge_b, outcome, voter, session, "
      "time, taken, category, sample, judgment_a, judgment_b, source, offer) SELECT ?1, 0, "
      "a.judge, "
      "b.judge, ?2, offers.voter, offers.session, ?3, ?4, category, digest, a.key, b.key, ?5, "
      "offers.id FROM offers JOIN judgments a ON a.id = offers.judgment_a JOIN judgments b ON "
      "b.id = offers.judgment_b JOIN samples ON samples.id = a.sample WHERE offers.id = ?6");
  add.bind(1, digest).bind(2, static_cast<std::int64_t>(outcome)).bind(3, time_ms);
  add.bind(4, taken_ms).bind(5, source).bind(6, open.id).run();
  if (state_->database.changes() == 0)
    throw Error("this pair has a vote already", "", "vote for the next one");
  transaction.commit();
}

// --- votes ---

std::size_t Store::add_votes(std::span<const Vote> votes) {
  data::Transaction transaction(state_->database);
  state_->forget_ids();
  Statement add = state_->prepare(
      "INSERT OR IGNORE INTO votes (digest, panel, judge_a, judge_b, outcome, voter, session, "
      "time, taken, category, sample, judgment_a, judgment_b, source) VALUES (?1, ?2, ?3, ?4, ?5, "
      "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
  std::size_t added = 0;
  for (const Vote& vote : votes) {
    ensure(!vote.id.empty(), "a vote without id");
    add.bind(1, vote.id).bind(2, std::int64_t{vote.source == kPanelSource});
    add.bind(3, state_->judge(vote.judge_a)).bind(4, state_->judge(vote.judge_b));
    add.bind(5, static_cast<std::int64_t>(vote.outcome));
    vote.voter.empty() ? add.bind_null(6) : add.bind(6, state_->voter(vote.voter));
    add.bind(7, vote.session).bind(8, vote.time_ms);
    vote.taken_ms ? add.bind(9, *vote.taken_ms) : add.bind_null(9);
    add.bind(10, vote.category).bind(11, vote.sample).bind(12, vote.judgment_a);
    add.bind(13, vote.judgment_b).bind(14, vote.source).run();
    const bool is_new = state_->database.changes() > 0;
    added += is_new;
    if (is_new && !vote.removed.empty())
      state_->bury(state_->database.last_id(), vote.removed, vote.time_ms);
  }
  transaction.commit();
  return added;
}

bool Store::has_vote(std::string_view id) {
  Statement row = state_->prepare("SELECT 1 FROM votes WHERE digest = ?1");
  return row.bind(1, id).step();
}

void Store::each_vote(const std::function<void(const Vote&)>& visit) {
  Statement rows = state_->prepare(
      "SELECT digest, a.name, b.name, outcome, hash, session, votes.time, taken, category, sample, "
      "judgment_a, judgment_b, source, reason FROM votes JOIN judges a ON a.id = judge_a JOIN "
      "judges b ON b.id = judge_b LEFT JOIN voters ON voters.id = voter LEFT JOIN tombstones ON "
      "tombstones.vote = votes.id ORDER BY votes.id");
  while (rows.step()) {
    Vote vote{.id = rows.text(0),
              .judge_a = rows.text(1),
              .judge_b = rows.text(2),
              .outcome = static_cast<Outcome>(rows.number(3)),
              .voter = rows.text(4),
              .session = rows.text(5),
              .time_ms = rows.number(6),
              .category = rows.text(8),
              .sample = rows.text(9),
              .judgment_a = rows.text(10),
              .judgment_b = rows.text(11),
              .source = rows.text(12),
              .removed = rows.text(13)};
    if (!rows.is_null(7)) vote.taken_ms = rows.number(7);
    visit(vote);
  }
}

std::size_t Store::remove(std::span<const std::string> ids, std::string_view reason,
                          std::int64_t time_ms) {
  data::Transaction transaction(state_->database);
  Statement look = state_->prepare("SELECT id FROM votes WHERE digest = ?1");
  std::size_t removed = 0;
  for (const std::string& id : ids) {
    if (!look.bind(1, id).step())
      throw Error(fmt::format("no vote has the id '{}'", id), state_->path());
    const RowId vote = look.number(0);
    look.reset();
    state_->bury(vote, reason, time_ms);
    removed += static_cast<std::size_t>(state_->database.changes());
  }
  transaction.commit();
  return removed;
}

BoardVotes Store::board(Board board) {
  BoardVotes result;
  std::unordered_set<RowId> removed;
  Statement tombstones = state_->prepare("SELECT vote FROM tombstones");
  while (tombstones.step()) removed.insert(tombstones.number(0));
  // Numbered by name, so that the order of votes changes no number that does not depend on it.
  std::unordered_map<RowId, std::uint32_t> place;
  for (auto& [id, name] : judges()) {
    place[id] = static_cast<std::uint32_t>(result.judges.size());
    result.judges.push_back(std::move(name));
  }
  std::unordered_map<RowId, std::uint32_t> voters;
  std::unordered_map<std::string, std::uint32_t> categories;
  Ballots& ballots = result.ballots;
  ballots.judges = result.judges.size();
  Statement rows = state_->prepare(
      "SELECT id, judge_a, judge_b, outcome, voter, category FROM votes WHERE panel = ?1 ORDER BY "
      "id");
  rows.bind(1, std::int64_t{board == Board::Panel});
  std::vector<RowId> voter_rows;
  while (rows.step()) {
    if (removed.contains(rows.number(0))) {
      ++result.removed;
      continue;
    }
    ballots.a.push_back(place.at(rows.number(1)));
    ballots.b.push_back(place.at(rows.number(2)));
    ballots.outcome.push_back(static_cast<Outcome>(rows.number(3)));
    // 0 is nobody known: each vote of theirs is another's.
    const RowId voter = rows.is_null(4) ? -static_cast<RowId>(ballots.size()) : rows.number(4);
    const auto [at, is_new] = voters.try_emplace(voter, static_cast<std::uint32_t>(voters.size()));
    if (is_new) voter_rows.push_back(voter);
    ballots.voter.push_back(at->second);
    const auto [name, new_name] =
        categories.try_emplace(rows.text(5), static_cast<std::uint32_t>(result.categories.size()));
    if (new_name) result.categories.push_back(name->first);
    result.category.push_back(name->second);
  }
  Statement hash = state_->prepare("SELECT hash FROM voters WHERE id = ?1");
  bool any = false;
  for (const RowId voter : voter_rows) {
    std::string name;
    if (voter > 0 && hash.bind(1, voter).step()) name = hash.text(0);
    hash.reset();
    any = any || !name.empty();
    result.voters.push_back(std::move(name));
  }
  if (!any) ballots.voter.clear();
  return result;
}

std::uint64_t Store::vote_count() {
  return static_cast<std::uint64_t>(state_->database.number("SELECT count(*) FROM votes"));
}
std::int64_t Store::last_vote_ms() {
  return state_->database.number("SELECT coalesce(max(time), 0) FROM votes");
}

void Store::set_note(std::string_view name, std::string_view text) {
  state_->prepare("INSERT OR REPLACE INTO notes (name, text) VALUES (?1, ?2)")
      .bind(1, name)
      .bind(2, text)
      .step();
}
std::string Store::note(std::string_view name) {
  Statement row = state_->prepare("SELECT text FROM notes WHERE name = ?1");
  return row.bind(1, name).step() ? row.text(0) : std::string();
}

}  // namespace selene::arena
