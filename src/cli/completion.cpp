#include "cli/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace mlps::cli {
namespace {

constexpr std::string_view kFiles = "\tfiles\n";

constexpr std::string_view kBash = R"(# bash completion for mlpstorage: source <(mlpstorage completion bash)
_mlpstorage() {
  local current=${COMP_WORDS[COMP_CWORD]} word text words=()
  COMPREPLY=()
  while IFS= read -r text; do
    word=${text%%$'\t'*}
    if [ -n "$word" ]; then
      words+=("$word")
    else
      compopt -o filenames
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
    fi
  done < <("${COMP_WORDS[0]}" complete-line "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
  for word in "${words[@]}"; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
}
complete -F _mlpstorage mlpstorage
)";

constexpr std::string_view kZsh = R"(#compdef mlpstorage
# zsh completion for mlpstorage: source <(mlpstorage completion zsh), or as _mlpstorage in a folder of $fpath
_mlpstorage() {
  local -a values options
  local line word entry files=
  while IFS= read -r line; do
    word=${line%%$'\t'*}
    entry="${word//:/\\:}:${line#*$'\t'}"
    case $word in
      '') files=1 ;;
      -*) options+=("$entry") ;;
      *) values+=("$entry") ;;
    esac
  done < <("${words[1]}" complete-line "${(@)words[2,CURRENT-1]}" 2>/dev/null)
  (( $#values )) && _describe mlpstorage values
  (( $#options )) && _describe -o option options
  [[ -n $files ]] && _files
}
if [[ ${funcstack[1]} == _mlpstorage ]]; then
  _mlpstorage "$@"
else
  compdef _mlpstorage mlpstorage
fi
)";

constexpr std::string_view kFish = R"(# fish completion for mlpstorage: mlpstorage completion fish | source
function __mlpstorage_complete
  set -l typed (commandline -opc)
  for line in ($typed[1] complete-line $typed[2..] 2>/dev/null)
    if string match -q -r '^\t' -- $line
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c mlpstorage -f -a '(__mlpstorage_complete)'
)";

struct Shell {
  std::string_view name;
  std::string_view script;
};
constexpr auto kShells = std::to_array<Shell>({{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}});

std::string candidate(std::string_view word, std::string_view text) {
  return fmt::format("{}\t{}\n", word, text);
}

/// Returns the flag that a word names, or nullptr.
const Flag* flag_of(const CommandSyntax& command, std::string_view word) {
  if (word.starts_with("--")) return command.find_flag(word.substr(2));
  return word.starts_with("-") ? command.find_short_flag(word.substr(1)) : nullptr;
}

std::string values_of(const Flag& flag, Mode mode) {
  std::string text;
  for (const std::string& choice : choices_of(flag, mode)) text += candidate(choice, "");
  const bool is_file = flag.kind == FlagKind::kPath || flag.kind == FlagKind::kLocation;
  return is_file ? std::string(kFiles) : text;
}

std::string after_command(const CommandSyntax& command, std::span<const std::string> typed) {
  if (!typed.empty()) {
    const Flag* flag = flag_of(command, typed.back());
    if (flag != nullptr && command.has(*flag) && flag->kind != FlagKind::kSwitch) return values_of(*flag, command.mode);
  }
  std::string text;
  const auto is_typed = [&](std::string_view word) {
    return std::find(typed.begin(), typed.end(), word) != typed.end();
  };
  if (command.is(kOnStorage) && !is_typed("file") && !is_typed("object")) {
    text += candidate("file", "on a file system") + candidate("object", "on object storage");
  }
  for (const Flag* flag : command.flags()) {
    const bool accumulates = flag->kind == FlagKind::kPairs || flag->kind == FlagKind::kRepeated;
    if (!command.has(*flag) || !flag->no_effect.empty() || (!accumulates && is_typed(typed_name(*flag)))) continue;
    text += candidate(typed_name(*flag), flag->text);
  }
  if (command.subcommand->maximum_arguments > 0) text += kFiles;
  return text;
}

}  // namespace

std::string completions(const Grammar& grammar, std::span<const std::string> words) {
  const Resolution resolution = grammar.resolve(words);
  if (resolution.kind == Resolution::Kind::kCommand) {
    return after_command(resolution.command, words.subspan(std::min(resolution.rest, words.size())));
  }
  std::string text;
  if (resolution.kind != Resolution::Kind::kIncomplete) return text;
  for (const Subcommand* word : grammar.next_words(resolution)) {
    if (word->built) text += candidate(word->word, word->text);
  }
  return text;
}

Result<std::string> completion_script(std::string_view shell) {
  std::vector<std::string_view> names;
  for (const Shell& known : kShells) {
    if (known.name == shell) return std::string(known.script);
    names.push_back(known.name);
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("completion: '{}' is no shell it can be for", shell), {},
              fmt::format("use one of {}", fmt::join(names, ", ")));
}

}  // namespace mlps::cli
