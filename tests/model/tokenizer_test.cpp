#include "model/tokenizer.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "model/tiny_llama.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

using Json = nlohmann::json;
using testing::GgufBuilder;
using testing::message_of;
using testing::TinyLlama;

Tokenizer from_gguf(const GgufBuilder& file) {
  const std::string bytes = file.build();
  return read_gguf_tokenizer(read_gguf_layout(bytes));
}

TokenizerTexts texts_of(const Tokenizer& tokenizer) {
  TokenizerTexts texts;
  for (const FolderFile& file : huggingface_tokenizer_files(tokenizer, 128)) {
    if (file.name == "tokenizer.json") texts.tokenizer_json = file.bytes;
    if (file.name == "tokenizer_config.json") texts.tokenizer_config_json = file.bytes;
  }
  return texts;
}

void expect_same(const Tokenizer& a, const Tokenizer& b) {
  EXPECT_EQ(a.pre, b.pre);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.types, b.types);
  EXPECT_EQ(a.merges, b.merges);
  for (const SpecialToken& token : a.special) EXPECT_EQ(token.id, b.id_of(token.name));
  EXPECT_EQ(a.add_bos, b.add_bos);
  EXPECT_EQ(a.add_eos, b.add_eos);
  EXPECT_EQ(a.chat_template, b.chat_template);
  EXPECT_EQ(a.named_templates, b.named_templates);
}

TEST(Tokenizer, TheFolderOfAModelSaysWhatItsGgufSays) {
  const TinyLlama tiny;
  const Tokenizer gguf = from_gguf(tiny.gguf());
  EXPECT_EQ(gguf.pre, "llama-bpe");
  EXPECT_TRUE(gguf.adds_bos());
  const testing::TemporaryFolder folder;
  Tokenizer hugging_face = read_huggingface_tokenizer(tiny.folder(folder), tiny.vocabulary());
  expect_same(gguf, hugging_face);
}

TEST(Tokenizer, ComesBackFromTokenizerJsonForEachPreTokenizer) {
  for (const std::string_view pre : known_pre_tokenizers()) {
    for (const bool add : {false, true}) {
      const TinyLlama tiny{.pre = std::string(pre)};
      Tokenizer tokenizer = from_gguf(tiny.gguf());
      tokenizer.add_bos = add;
      tokenizer.add_eos = add;
      tokenizer.add_space_prefix = false;
      tokenizer.named_templates = {{"tool_use", "{{ tools }}"}};
      expect_same(tokenizer, read_huggingface_tokenizer(texts_of(tokenizer), tiny.vocabulary()));
    }
  }
}

TEST(Tokenizer, OtherNamesOfTheSameRulesBecomeTheFirst) {
  const Tokenizer tokenizer = from_gguf(TinyLlama{.pre = "starcoder"}.gguf());
  EXPECT_EQ(read_huggingface_tokenizer(texts_of(tokenizer), tokenizer.tokens.size()).pre, "smollm");
}

TEST(Tokenizer, EveryKindOfTokenFindsItsPlaceAgain) {
  // Special tokens in the midst of the vocabulary, one that a user may write, unused ones at the
  // end, which only fill up the embedding.
  Tokenizer tokenizer = from_gguf(TinyLlama().gguf());
  std::swap(tokenizer.tokens[0], tokenizer.tokens[261]);
  std::swap(tokenizer.types[0], tokenizer.types[261]);
  tokenizer.set_id("bos", 0);
  tokenizer.types[263] = TokenType::UserDefined;
  tokenizer.tokens[263] = "<tool call>";
  tokenizer.set_id("pad", 262);
  for (const char* unused : {"[PAD264]", "[PAD265]"}) {
    tokenizer.tokens.emplace_back(unused);
    tokenizer.types.push_back(TokenType::Unused);
  }
  const TokenizerTexts texts = texts_of(tokenizer);
  expect_same(tokenizer, read_huggingface_tokenizer(texts, 266));
  const Json json = Json::parse(texts.tokenizer_json);
  EXPECT_EQ(json["model"]["vocab"].size(), 262u);  // To the last that is not added.
  EXPECT_EQ(json["added_tokens"].size(), 3u);
  EXPECT_EQ(json["added_tokens"][2]["special"], false);
}

TEST(Tokenizer, EndsOfAnswersGoToTheGenerationConfig) {
  Tokenizer tokenizer = from_gguf(TinyLlama().gguf());
  tokenizer.set_id("eot", 263);
  for (const FolderFile& file : huggingface_tokenizer_files(tokenizer, 128)) {
    if (file.name == "generation_config.json") {
      EXPECT_EQ(Json::parse(file.bytes)["eos_token_id"], Json::parse("[262,263]"));
    }
    if (file.name == "special_tokens_map.json") {
      EXPECT_EQ(Json::parse(file.bytes), Json::parse(R"({"bos_token":"<|begin|>",)"
                                                     R"("eos_token":"<|end|>",)"
                                                     R"("pad_token":"<|pad|>"})"));
    }
  }
}

std::string gguf_problem(const std::function<void(GgufBuilder&)>& change) {
  GgufBuilder file = TinyLlama().metadata();
  change(file);
  return message_of<Error>([&] { from_gguf(file); });
}

void drop(GgufBuilder& file, std::string_view key) {
  std::erase_if(file.entries,
                [&](const std::string& entry) { return entry.compare(8, key.size(), key) == 0; });
}

TEST(Tokenizer, AGgufWithAnotherTokenizerIsRefusedByName) {
  EXPECT_EQ(
      gguf_problem([](GgufBuilder& f) {
        drop(f, "tokenizer.ggml.model");
        f.text("tokenizer.ggml.model", "llama");
      }),
      "its tokenizer is SentencePiece ('llama'); only byte-level BPE ('gpt2') is carried over "
      "to a Hugging Face folder; convert it to a GGUF, which keeps its tokenizer as it is");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) {
              drop(f, "tokenizer.ggml.pre");
              f.text("tokenizer.ggml.pre", "qwen2");
            }),
            "its pre-tokenizer 'qwen2' is not known; known: gpt-2, smollm, llama-bpe, smaug-bpe; "
            "convert it to a GGUF, which keeps its tokenizer as it is");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { drop(f, "tokenizer.ggml.model"); }),
            "it has no tokenizer");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { drop(f, "tokenizer.ggml.merges"); }),
            "it has no 'tokenizer.ggml.merges'");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) {
              drop(f, "tokenizer.ggml.token_type");
              f.i32s("tokenizer.ggml.token_type", {1});
            }),
            "damaged: 1 types for 264 tokens");
  Tokenizer twice = from_gguf(TinyLlama().gguf());
  twice.tokens[1] = twice.tokens[0];
  EXPECT_EQ(message_of<Error>([&] { texts_of(twice); }),
            "the tokens 0 and 1 are both '\u0100', which tokenizer.json cannot hold");
  Tokenizer broken = from_gguf(TinyLlama().gguf());
  broken.merges[0] = "alone";
  EXPECT_EQ(message_of<Error>([&] { texts_of(broken); }),
            "damaged: the merge 'alone' is not two parts");
}

std::string json_problem(const std::function<void(Json&)>& change) {
  Json json = TinyLlama().tokenizer_json();
  change(json);
  TokenizerTexts texts;
  texts.tokenizer_json = json.dump();
  return message_of<Error>([&] { read_huggingface_tokenizer(texts, TinyLlama().vocabulary()); });
}

TEST(Tokenizer, ATokenizerJsonThatIsNotKnownIsRefusedWithTheRemedy) {
  const std::string remedy =
      "; give --tokenizer FILE.gguf, a GGUF whose tokenizer goes along in its place";
  EXPECT_EQ(json_problem([](Json&) {}), "");
  EXPECT_EQ(json_problem([](Json& j) {
              j["normalizer"] = {{"type", "NFC"}};
            }),
            "its tokenizer has a normaliser ('NFC'), which is not known here" + remedy);
  EXPECT_EQ(json_problem([](Json& j) {
              j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+";
            }),
            "its pre-tokenizer Sequence(Split, ByteLevel) with ignore_merges is not known; known "
            "are those of gpt-2, smollm, llama-bpe, smaug-bpe" +
                remedy);
  EXPECT_EQ(
      json_problem([](Json& j) {
        j["pre_tokenizer"] = {{"type", "Metaspace"}};
      }),
      "its pre-tokenizer Metaspace with ignore_merges is not known; known are those of gpt-2, "
      "smollm, llama-bpe, smaug-bpe" +
          remedy);
  EXPECT_EQ(json_problem([](Json& j) { j["pre_tokenizer"] = nullptr; }),
            "its tokenizer has no pre-tokenizer, which byte-level BPE needs" + remedy);
  EXPECT_EQ(json_problem([](Json& j) { j["model"]["type"] = "Unigram"; }),
            "its tokenizer is 'Unigram'; only byte-level BPE is carried over to GGUF" + remedy);
  EXPECT_EQ(json_problem([](Json& j) { j["model"]["byte_fallback"] = true; }),
            "its tokenizer is SentencePiece BPE with byte fallback; only byte-level BPE is carried "
            "over to GGUF" +
                remedy);
  EXPECT_EQ(json_problem([](Json& j) { j["model"]["vocab"]["extra"] = 900; }),
            "its token 'extra' has the number 900, and the model 264 tokens" + remedy);
  EXPECT_EQ(json_problem([](Json& j) { j["added_tokens"][0]["id"] = 5; }).substr(0, 12),
            "its tokens '");
  EXPECT_EQ(json_problem([](Json& j) { j["model"]["merges"][0] = "one"; }),
            "its merge 'one' is not two parts" + remedy);
  EXPECT_EQ(json_problem([](Json& j) {
              j["post_processor"] = {{"type", "BertProcessing"}};
            }),
            "its post-processor 'BertProcessing' is not known" + remedy);
  const testing::TemporaryFolder folder;
  EXPECT_EQ(message_of<Error>([&] { read_huggingface_tokenizer(folder.path(), 10); }),
            folder.path().string() + ": there is no tokenizer.json" + remedy);
  folder.file("tokenizer.model", "");
  EXPECT_EQ(message_of<Error>([&] { read_huggingface_tokenizer(folder.path(), 10); }),
            folder.path().string() +
                ": there is a tokenizer.model of SentencePiece and no tokenizer.json" + remedy);
}

TEST(Tokenizer, MergesInPairsAreReadAsThoseInOneText) {
  Json json = TinyLlama().tokenizer_json();
  Json pairs = Json::array();
  for (const std::string& merge : TinyLlama::merges()) {
    const size_t space = merge.find(' ');
    pairs.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  json["model"]["merges"] = pairs;
  TokenizerTexts texts;
  texts.tokenizer_json = json.dump();
  EXPECT_EQ(read_huggingface_tokenizer(texts, 264).merges, TinyLlama::merges());
}

TEST(Tokenizer, ATemplateInAFileOfItsOwnIsRead) {
  TokenizerTexts texts;
  texts.tokenizer_json = TinyLlama().tokenizer_json().dump();
  texts.chat_template_jinja = "{{ messages }}";
  EXPECT_EQ(read_huggingface_tokenizer(texts, 264).chat_template, "{{ messages }}");
  texts.tokenizer_config_json =
      R"({"chat_template":[{"name":"default","template":"d"},{"name":"rag","template":"r"}]})";
  const Tokenizer tokenizer = read_huggingface_tokenizer(texts, 264);
  EXPECT_EQ(tokenizer.chat_template, "d");
  EXPECT_EQ(tokenizer.named_templates,
            (std::vector<std::pair<std::string, std::string>>{{"rag", "r"}}));
}

}  // namespace
}  // namespace selene::model
