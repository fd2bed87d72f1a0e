import { LabError } from "../errors.ts";

/** The call of a Ceph program, for the error message of its failure. */
export interface Asked {
  /** In the infinitive: `create image libvirt-pool/vm1`. */
  what: string;
  user: string;
  conf: string;
  pool?: string;
}

/**
 * Turns the output of a failed `ceph` or `rbd` into an error. Both print the number or name of an errno, whose meaning
 * depends on the program.
 */
export function cephFailure(asked: Asked, words: string, cause?: unknown): LabError {
  const { what, user, conf, pool } = asked;
  const said = lastSentences(words);
  const error = (code: LabError["code"], why: string, hint?: string, retryable = false) =>
    new LabError(code, `cannot ${what}: ${why}`, { cause, hint, retryable });

  if (/calling conf_read_file|unable to open config file/.test(words)) {
    return error("SIPHON_NOT_FOUND", `cannot read ${conf}`, "name the cluster's ceph.conf with --conf");
  }
  if (/interrupted or timed out|RADOS timed out|ETIMEDOUT|\(110\)/.test(words)) {
    return error(
      "SIPHON_TIMEOUT",
      `the cluster of ${conf} does not answer`,
      "is mon_host right, is a monitor in quorum, do both sides allow the same ms_*_mode?",
      true,
    );
  }
  if (/error connecting to the cluster|couldn't connect to the cluster/.test(words)) {
    if (/errno 13|permission denied|\(13\)/i.test(words)) {
      return error(
        "SIPHON_PERMISSION",
        `the cluster does not accept the key of client.${user}`,
        keyHint(conf),
      );
    }
    if (/errno 1\]|\(1\)/.test(words)) {
      return error(
        "SIPHON_PERMISSION",
        "the cluster and the client allow no common authentication",
        keyHint(conf),
      );
    }
    if (/errno (2|95)\]|\((2|95)\)/.test(words)) {
      return error("SIPHON_PERMISSION", `there is no key for client.${user}`, keyHint(conf));
    }
  }
  if (/EACCES|EPERM|\(13\)|\(1\) Operation not permitted|access denied/i.test(words)) {
    return error("SIPHON_PERMISSION", `client.${user} may not: ${said}`, capsHint(user, pool));
  }
  if (/ENOSPC|EDQUOT|\(28\)|\(122\)|No space left/.test(words)) {
    return error("SIPHON_NO_SPACE", said, "delete images, raise the quota, or add OSDs");
  }
  if (pool && (/error opening pool|unrecognized pool|default pool/.test(words) || unknownPool(words, pool))) {
    return error(
      "SIPHON_NOT_FOUND",
      `there is no pool ${pool}`,
      `list the pools with: ceph --conf ${conf} --id ${user} osd pool ls`,
    );
  }
  if (/ENOENT|\(2\) No such file/.test(words)) return error("SIPHON_NOT_FOUND", said);
  if (/EEXIST|\(17\)/.test(words)) return error("SIPHON_IN_USE", said);
  if (/EBUSY|\(16\)|still has watchers/.test(words)) {
    return error("SIPHON_IN_USE", said, "something has the image open: close it, then try again", true);
  }
  return error("SIPHON_CLUSTER", said || "it said nothing");
}

/** The last output of the program itself; lines of the library's log only if there is nothing else. */
function lastSentences(words: string): string {
  const lines = words.split("\n").filter((line) => line.trim() !== "");
  const sentences = lines.filter((line) => !isLogLine(line));
  return (sentences.length > 0 ? sentences : lines).slice(-2).join(" | ").slice(-500);
}

/** A line of the library's own log: time, thread, level. */
export function isLogLine(line: string): boolean {
  return /^\d{4}-\d\d-\d\dT\S+ [0-9a-f]+ +-?\d+ /.test(line);
}

function unknownPool(words: string, pool: string): boolean {
  return /ENOENT/.test(words) && words.includes(pool);
}

function keyHint(conf: string): string {
  return `the section or the keyring that ${conf} names must hold the user's key (ceph auth get client.NAME)`;
}

function capsHint(user: string, pool = "POOL"): string {
  return `it needs: ceph auth caps client.${user} mon 'profile rbd' osd 'profile rbd pool=${pool}'`;
}
