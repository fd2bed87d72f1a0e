import { Command } from "commander";
import type { CommandEntry } from "../command-entry.ts";
import { usage } from "./rbd/image-spec.ts";

/**
 * `siphon completion bash`: the shell script that completes siphon's commands and their options.
 *
 * @param commands all commands of siphon
 */
export function completionCommand(commands: readonly CommandEntry[]): Command {
  return new Command("completion")
    .description("Print a script that completes siphon's commands and options in a shell.")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText("after", "\nExample: source <(siphon completion bash)")
    .action(async (shell: string) => {
      const script = scripts[shell];
      if (script === undefined) throw usage(`there is no completion for ${shell}: bash, zsh or fish`);
      process.stdout.write(script(await wordsByPath(commands)));
    });
}

/** The words that may follow each command, its subcommands and options, by the words of the command. */
type WordsByPath = ReadonlyMap<string, readonly string[]>;

async function wordsByPath(entries: readonly CommandEntry[]): Promise<WordsByPath> {
  const words = new Map<string, string[]>();
  words.set("siphon", [...entries.map(({ name }) => name), "--help", "--version"]);
  const add = (path: string, command: Command) => {
    const names = command.commands.flatMap((each) => [each.name(), ...each.aliases()]);
    const options = command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
    words.set(path, [...names, ...options, "--help"]);
    for (const child of command.commands) {
      for (const name of [child.name(), ...child.aliases()]) add(`${path} ${name}`, child);
    }
  };
  for (const { name, load } of entries) add(`siphon ${name}`, await load([]));
  for (const [command, further] of await furtherWords()) {
    for (const [path, more] of further) {
      const key = `siphon ${command} ${path}`.trim();
      words.set(key, [...(words.get(key) ?? []), ...more]);
    }
  }
  return words;
}

/** Words of commands that parse their arguments themselves. */
async function furtherWords(): Promise<[command: string, words: WordsByPath][]> {
  const { cephWords } = await import("./ceph/words.ts");
  const { verbs } = await import("./rados/verbs.ts");
  const { optionNames } = await import("./rados/flags.ts");
  const rados = [...verbs.map(({ name }) => name), ...optionNames().filter((name) => name.startsWith("--"))];
  const ceph = ["--conf", "--cluster", "--name", "--id", "--mon-host", "--keyring", "--connect-timeout"];
  const own = ["--format", "--in-file", "--out-file", "--status", "--admin-daemon"];
  return [
    ["rados", new Map([["", rados]])],
    ["ceph", new Map([...cephWords, ["", [...(cephWords.get("") ?? []), ...ceph, ...own]]])],
  ];
}

/** Values of options, in all commands that have them. */
const values: Record<string, string> = {
  "--format": "plain json xml",
  "--image-feature": "layering exclusive-lock object-map fast-diff deep-flatten",
  "--encryption-format": "luks luks1 luks2",
  "--export-format": "1 2",
  "--io-type": "read write readwrite rw",
  "--io-pattern": "rand seq full-seq",
  "--rbd-default-clone-format": "1 2 auto",
  "--sort-by": "write-ops read-ops write-bytes read-bytes write-latency read-latency",
};

const scripts: Record<string, ((words: WordsByPath) => string) | undefined> = {
  bash: bashScript,
  zsh: (words) => `#compdef siphon\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(words)}`,
  fish: fishScript,
};

/** Follows the words while they are commands; if no word fits, files are offered. */
function bashScript(words: WordsByPath): string {
  const cases = [...words].map(([path, all]) => `    '${path}') words='${all.join(" ")}' ;;`);
  const ofOptions = Object.entries(values).map(([option, all]) => `    ${option}) words='${all}' ;;`);
  return `_siphon_words() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
_siphon() {
  local path=siphon words word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    _siphon_words "$path $word" && path="$path $word"
  done
  _siphon_words "$path"
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${ofOptions.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _siphon siphon
`;
}

function fishScript(words: WordsByPath): string {
  const cases = [...words].map(([path, all]) => `    case '${path}'\n      printf '%s\\n' ${all.join(" ")}`);
  const ofOptions = Object.entries(values).map(
    ([option, all]) => `    case ${option}\n      printf '%s\\n' ${all}\n      return`,
  );
  return `function __siphon_words
  switch "$argv"
${cases.join("\n")}
    case '*'
      return 1
  end
end
function __siphon_complete
  set -l path siphon
  switch (commandline -opc)[-1]
${ofOptions.join("\n")}
  end
  for word in (commandline -opc)[2..-1]
    if __siphon_words $path $word >/dev/null
      set path $path $word
    end
  end
  __siphon_words $path
end
complete -c siphon -a '(__siphon_complete)'
`;
}
