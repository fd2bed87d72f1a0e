import { type Both, firstWords, type Part } from "./compare.ts";

/** Something that siphon does otherwise than rbd, on purpose. */
export interface Difference {
  /** What it is about, for people. */
  readonly about: string;
  /** The command lines, as the table has them; all unless said otherwise. */
  readonly lines?: RegExp;
  /** What rbd says; anything unless said otherwise. */
  readonly words?: RegExp;
  /** What differs. */
  readonly in: readonly Part[];
  readonly reason: string;
  /** Releases of rbd that it is about; all unless said otherwise. */
  readonly releases?: (release: number) => boolean;
}

export const differences: readonly Difference[] = [
  {
    about: "a spec that is none: `pool/a/b/c`, `image@a@b`",
    lines: /P\/a\/b|@s1@s2|@s1\/x/,
    in: ["code", "stderr"],
    reason: "refused (EINVAL) before anything is looked up",
  },
  {
    about: "a pool that no command line names, and that there is none of",
    words: /^error opening default pool/,
    in: ["stderr"],
    reason: "the message is that of any pool that is missing",
  },
  {
    about: "things that are missing, there already, in use or too small; files that are no diffs",
    words:
      /^(namespace '.*' does not exist|namespace contains images|snapshot does not exist|snap is already|image has snapshots - |error: (an image with the same name|image does not exist in trash)|invalid or unexpected diff banner|failed to decode (diff banner|end snap name)|error opening \/|encryption format error)/,
    in: ["stderr"],
    reason: "the message names the thing, and the errno that is the exit code",
  },
  {
    about: "`rename` from one namespace to another",
    lines: /^rename P\/(nons|ns\/inner P\/new)/,
    in: ["code", "stderr"],
    reason:
      "refused (EINVAL) before the namespace is looked up; `rbd` takes a new name without a namespace for one in the image's own",
  },
  {
    about: "`deep cp` of a clone of a snapshot that is not protected",
    lines: /^deep cp P\/clone2/,
    in: ["code", "stderr"],
    reason:
      "the copy is a clone as its source is; `rbd` refuses it where clones of version 1 are made (`rbd_default_clone_format`)",
  },
  {
    about:
      "`--pool` with `config pool` and beside a group and an image, a pool's name behind `trash purge schedule ls`",
    lines: /^(config pool .*--pool|group image \w+ .*--pool|trash purge schedule ls [^-])/,
    in: ["code", "stdout", "stderr"],
    reason: "both ways to name a pool are taken by all commands",
  },
  {
    about: "`rename`, `image-meta` and `config image` of an image that was locked by hand",
    lines: /^(rename|image-meta|config image) .*P\/locked/,
    in: ["code", "stderr"],
    reason: "done: they need no lock. `rbd` refuses them (EROFS)",
  },
  {
    about: "`rm`, `trash mv`, `import-diff` and `snap limit` of an image that was locked by hand",
    lines: /^(rm|trash mv|import-diff|snap limit) .*P\/locked/,
    in: ["code", "stderr"],
    reason: "`rbd` waits until the lock is removed; siphon ends at once, with EROFS where it needs the lock",
  },
  {
    about: "`trash mv` of an image in a group",
    lines: /^trash mv P\/member/,
    in: ["code", "stderr"],
    reason: "done, as by `rbd` before 20",
    releases: (release) => release >= 20,
  },
  {
    about: "a time that is none",
    lines: /--expire(s-at|d-before) nonsense/,
    in: ["stderr"],
    reason: "the message says which forms there are",
  },
  {
    about: "`encryption format` of an image that has no room behind the header",
    lines: /^encryption format P\/(member|locked|old)/,
    in: ["code", "stderr"],
    reason: "refused (ENOSPC), as by `rbd` before 20: it could hold nothing",
    releases: (release) => release >= 20,
  },
  {
    about: "`encryption format` of a clone",
    lines: /^encryption format P\/clone/,
    in: ["code", "stderr"],
    reason: "done, as by `rbd` since 17",
    releases: (release) => release < 17,
  },
  {
    about: "`config image ls`, `config pool ls`",
    lines: /^config (image|pool) ls/,
    in: ["stdout"],
    reason: "they have `rbd_qos_exclude_ops`, a setting of Ceph 17",
    releases: (release) => release < 17,
  },
  {
    about: "an option that there is none of, or whose value is missing or makes no sense",
    words:
      /^(the (required )?argument (for option|\('.*'\) for option)|unrecognised option|too many arguments)/,
    in: ["stderr"],
    reason: "the exit code is rbd's; siphon says which values the option takes",
  },
  {
    about: "`migration`, `journal`",
    lines: /^(migration|journal) /,
    in: ["code", "stdout", "stderr"],
    reason: "refused (EOPNOTSUPP) before anything else is looked at",
  },
  {
    about: "`device`",
    lines: /^device /,
    in: ["code", "stdout", "stderr"],
    reason: "over the kernel's NBD driver unless told otherwise; `-t krbd` is refused (EOPNOTSUPP)",
  },
  {
    about: "`group info`, `group snap info`, `group snap ls`",
    lines: /^group (info|snap info|snap ls)/,
    in: ["code", "stdout", "stderr"],
    reason: "as `rbd` 20 has them",
    releases: (release) => release < 20,
  },
  {
    about: "`merge-diff` of files that are missing or are no diffs",
    lines: /^merge-diff /,
    in: ["stderr"],
    reason: "the message says which file, and what is wrong with it",
  },
  {
    about: "`merge-diff` of two files of which both are wrong, or one is and the result cannot be written",
    lines: /^merge-diff .*(NOFILE|DIRECTORY|GARBAGE).*NEWFILE/,
    in: ["code"],
    reason: "`rbd` opens all files before it reads one; the exit code is of what comes first",
  },
];

/** The first that accounts for what differs in a line. */
export function accountedFor(
  line: string,
  { theirs }: Both,
  part: Part,
  release: number,
): Difference | undefined {
  return differences.find(
    ({ lines, words, in: parts, releases }) =>
      parts.includes(part) &&
      (lines?.test(line) ?? true) &&
      (words?.test(firstWords(theirs.stderr)) ?? true) &&
      (releases?.(release) ?? true),
  );
}
