import { RadosError } from "../src/errors.ts";
import { framesOf, HostileSession, joinFrames, mutate } from "../test/support/hostile-session.ts";
import type { Random } from "../test/support/random.ts";
import { captures } from "../test/vectors/captures.ts";

/** A source of hostile input; `run` makes and plays one, and throws only for what must never happen. */
export interface HostileRun extends Disposable {
  run(random: Random): void;
}

export interface HostileSource {
  name: string;
  make(): HostileRun;
}

/** Monitor sessions that no monitor would hold, at each layer: bytes, frames, and what is in them. */
export const hostileSessions: HostileSource[] = [
  { name: "v1 session, bytes changed", make: () => changedBytes("v1") },
  { name: "v2 session, bytes changed", make: () => changedBytes("v2") },
  { name: "v2 session, frames changed and sealed again", make: changedSegments },
];

function changedBytes(version: "v1" | "v2"): HostileRun {
  const capture = captures()[version];
  const session = new HostileSession();
  return {
    run: (random) => {
      const bytes = mutate(capture.bytes, random);
      check(session.play(capture, bytes, [random.between(1, bytes.length)]).error);
    },
    [Symbol.dispose]: () => session[Symbol.dispose](),
  };
}

/** Checksums are right here, so that the bytes reach the decoders. */
function changedSegments(): HostileRun {
  const capture = captures().v2;
  const { banner, frames } = framesOf(capture);
  const session = new HostileSession();
  return {
    run: (random) => {
      const changed = random.below(frames.length);
      const hostile = frames.map((frame, i) => {
        if (i !== changed) return frame;
        const segment = random.below(frame.segments.length);
        const tag = random.chance(0.05) ? random.below(24) : frame.tag;
        const segments = frame.segments.map((bytes, s) => (s === segment ? mutate(bytes, random) : bytes));
        return { tag, segments: trimmed(segments) };
      });
      check(session.play(capture, joinFrames({ banner, frames: hostile })).error);
    },
    [Symbol.dispose]: () => session[Symbol.dispose](),
  };
}

/** A frame's last segment is never empty. */
function trimmed(segments: Buffer[]): Buffer[] {
  const last = segments.findLastIndex((segment) => segment.length > 0);
  return segments.slice(0, Math.max(1, last + 1));
}

function check(error: unknown): void {
  if (error !== undefined && !(error instanceof RadosError)) throw error;
}
