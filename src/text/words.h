// The words of a text, as texts are compared by: without case, punctuation and layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace selene::text {

// A word is a run of letters and digits (Unicode's categories L and N) with the marks on them (Mn
// and Mc), in lower case; a character of a script that is written without spaces (Chinese,
// Japanese, Thai, Lao, Khmer, Burmese) is a word of its own, with its marks. All else, and bytes
// that are no UTF-8, separates words. "It's 3 o'clock: 東京!" has the words it, s, 3, o, clock, 東
// and 京. The words of text() are the same words.
//
// Keeps its memory from text to text; one a thread.
class Words {
 public:
  // Takes the words of `text`, which need not live longer. Throws Error above 2 GiB.
  void read(std::string_view text);

  size_t size() const { return size_; }
  // All of them, with one space between two.
  std::string_view text() const { return {text_.data(), size_ == 0 ? 0 : ends_[size_ - 1]}; }
  // `count` words, at least one, from word `first` on.
  std::string_view run(size_t first, size_t count) const {
    const size_t begin = begin_of(first);
    return {text_.data() + begin, ends_[first + count - 1] - begin};
  }
  // Where a word begins in text().
  size_t begin_of(size_t word) const { return word == 0 ? 0 : ends_[word - 1] + 1; }
  // A word; kSlack bytes behind its end can be read.
  std::string_view operator[](size_t word) const { return run(word, 1); }
  static constexpr size_t kSlack = 16;

 private:
  std::vector<char> text_;           // With room for more than text().
  std::vector<std::uint32_t> ends_;  // By word, in text_; the space behind it.
  size_t size_ = 0;
};

}  // namespace selene::text
