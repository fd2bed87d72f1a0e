import { type Both, firstWords, type Part } from "./compare.ts";

/** A deliberate difference between siphon and rbd. */
export interface Difference {
  /** The subject of the difference, for readers of the documentation. */
  readonly about: string;
  /** The command lines, in the table's form; all by default. */
  readonly lines?: RegExp;
  /** rbd's message; any by default. */
  readonly words?: RegExp;
  /** The parts of the result that differ. */
  readonly in: readonly Part[];
  readonly reason: string;
  /** The releases of rbd with this difference; all by default. */
  readonly releases?: (release: number) => boolean;
}

export const differences: readonly Difference[] = [
  {
    about: "an invalid spec: `pool/a/b/c`, `image@a@b`",
    lines: /P\/a\/b|@s1@s2|@s1\/x/,
    in: ["code", "stderr"],
    reason: "siphon refuses it (EINVAL) before it looks anything up",
  },
  {
    about: "a default pool that does not exist",
    words: /^error opening default pool/,
    in: ["stderr"],
    reason: "the message is the same as for any missing pool",
  },
  {
    about:
      "images, snapshots, files and so on that are missing, exist already, are in use or too small; files that are not diffs",
    words:
      /^(namespace ('.*' )?does not exist|namespace contains images|snapshot does not exist|snap is already|image has snapshots - |error: (an image with the same name|image does not exist in trash)|invalid or unexpected diff banner|failed to decode (diff banner|end snap name)|error opening \/|encryption format error)/,
    in: ["stderr"],
    reason: "the message names the thing, and the errno that is the exit code",
  },
  {
    about: "`rename` from one namespace to another",
    lines: /^rename P\/(nons|ns\/inner P\/new)/,
    in: ["code", "stderr"],
    reason:
      "siphon refuses it (EINVAL) before it looks up the namespace; to `rbd`, a new name without a namespace is in the image's own",
  },
  {
    about: "`deep cp` of a clone of a snapshot that is not protected",
    lines: /^deep cp P\/clone2/,
    in: ["code", "stderr"],
    reason:
      "the copy is a clone like its source; `rbd` refuses this if `rbd_default_clone_format` selects version 1",
  },
  {
    about:
      "`--pool` with `config pool` and beside a group and an image, a pool's name after `trash purge schedule ls`",
    lines: /^(config pool .*--pool|group image \w+ .*--pool|trash purge schedule ls [^-])/,
    in: ["code", "stdout", "stderr"],
    reason: "all commands accept both ways to name a pool",
  },
  {
    about: "`rename`, `image-meta` and `config image` of a manually locked image",
    lines: /^(rename|image-meta|config image) .*P\/locked/,
    in: ["code", "stderr"],
    reason: "siphon carries them out, because they need no lock; `rbd` refuses them (EROFS)",
  },
  {
    about: "`rm`, `trash mv`, `import-diff` and `snap limit` of a manually locked image",
    lines: /^(rm|trash mv|import-diff|snap limit) .*P\/locked/,
    in: ["code", "stderr"],
    reason: "`rbd` waits until the lock is removed; siphon ends at once, with EROFS if it needs the lock",
  },
  {
    about: "`trash mv --expires-at`",
    lines: /^trash mv .*--expires-at 20/,
    in: ["code", "stdout"],
    reason:
      "siphon says when the image expires, and refuses a time in the past, as newer releases of `rbd` do",
    releases: (release) => release < 18,
  },
  {
    about: "`trash mv` of an image in a group",
    lines: /^trash mv P\/member/,
    in: ["code", "stderr"],
    reason: "siphon carries it out, as `rbd` before 20 does",
    releases: (release) => release >= 20,
  },
  {
    about: "an invalid time",
    lines: /--expire(s-at|d-before) nonsense/,
    in: ["stderr"],
    reason: "the message lists the accepted forms",
  },
  {
    about: "`encryption format` of an image without room after the header",
    lines: /^encryption format P\/(member|locked|old)/,
    in: ["code", "stderr"],
    reason: "siphon refuses it (ENOSPC), as `rbd` before 20 does: the image could hold no data",
    releases: (release) => release >= 20,
  },
  {
    about: "`encryption format` of a clone",
    lines: /^encryption format P\/clone/,
    in: ["code", "stderr"],
    reason: "siphon carries it out, as `rbd` since 17 does",
    releases: (release) => release < 17,
  },
  {
    about: "`config image ls`, `config pool ls`",
    lines: /^config (image|pool) ls/,
    in: ["stdout"],
    reason: "siphon lists `rbd_qos_exclude_ops`, a setting of Ceph 17",
    releases: (release) => release < 17,
  },
  {
    about: "an unknown option, or an option with a missing or invalid value",
    words:
      /^(the (required )?argument (for option|\('.*'\) for option)|unrecognised option|too many arguments)/,
    in: ["stderr"],
    reason: "the exit code is rbd's; siphon's message lists the valid values",
  },
  {
    about: "`migration`, `journal`",
    lines: /^(migration|journal) /,
    in: ["code", "stdout", "stderr"],
    reason: "siphon refuses them (EOPNOTSUPP) before it checks anything else",
  },
  {
    about: "`feature enable` of journaling",
    lines: /^feature enable .* journaling/,
    in: ["code", "stderr"],
    reason: "siphon makes no journals, and refuses them (ENOSYS)",
  },
  {
    about: "`device`",
    lines: /^device /,
    in: ["code", "stdout", "stderr"],
    reason: "siphon uses the kernel's NBD driver by default, and refuses `-t krbd` (EOPNOTSUPP)",
  },
  {
    about: "`group info`, `group snap info`, `group snap ls`",
    lines: /^group (info|snap info|snap ls)/,
    in: ["code", "stdout", "stderr"],
    reason: "they behave as in `rbd` 20",
    releases: (release) => release < 20,
  },
  {
    about: "`merge-diff` of files that are missing or are not diffs",
    lines: /^merge-diff /,
    in: ["stderr"],
    reason: "the message names the file and its fault",
  },
  {
    about: "`merge-diff` with two faulty files, or with one and a result that cannot be written",
    lines: /^merge-diff .*(NOFILE|DIRECTORY|GARBAGE).*NEWFILE/,
    in: ["code"],
    reason: "`rbd` opens all files before it reads one; the exit code is that of the first fault",
  },
];

/** The first difference that explains a part of a command line's results. */
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
