/** The first bytes of a daemon that speaks the other version of the protocol. */
export interface ForeignBanner {
  begins: string;
  /** Explanation for the user. */
  reason: string;
}

/**
 * Compares the received bytes with the expected banner.
 *
 * @param available number of bytes from `at`
 * @returns why it is not that banner; undefined while it matches
 */
export function bannerMismatch(
  bytes: Buffer,
  at: number,
  available: number,
  expected: Buffer,
  foreign: ForeignBanner,
): string | undefined {
  const known = Math.min(available, expected.length);
  if (bytes.compare(expected, 0, known, at, at + known) === 0) return undefined;
  const begins = bytes.toString("latin1", at, at + Math.min(available, foreign.begins.length));
  return begins === foreign.begins
    ? foreign.reason
    : "the peer is not a Ceph daemon: its first bytes are not a banner";
}
