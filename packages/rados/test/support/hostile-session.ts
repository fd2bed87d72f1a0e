import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { NoneAuthenticator } from "../../src/auth/authenticator.ts";
import { RadosError } from "../../src/errors.ts";
import type { ConnectionEvent } from "../../src/messenger/events.ts";
import { Region } from "../../src/messenger/region.ts";
import { CrcFramesRev1 } from "../../src/messenger/v2/crc-frames.ts";
import { MonClient } from "../../src/mon/client.ts";
import { OsdMapFeed } from "../../src/mon/osdmap-feed.ts";
import type { Capture } from "../vectors/captures.ts";
import { messengerFor } from "./connect.ts";
import { ScriptedTransport } from "./transports.ts";

export interface SessionOutcome {
  /** Epoch that the session learned. */
  monmapEpoch: number | undefined;
  osdmapEpoch: number | undefined;
  mgr: string | undefined;
  /** Why it ended; undefined if it did not. */
  error: RadosError | undefined;
}

/** Plays what a monitor sent, or might send, to a client that does not know it from a live one. */
export class HostileSession implements Disposable {
  readonly #transport = new ScriptedTransport();
  readonly #messenger = messengerFor(["crc"], { openTransport: this.#transport.open });
  #lost: RadosError | undefined;
  readonly #onEvent = (message: unknown): void => {
    this.#lost = (message as ConnectionEvent).error ?? this.#lost;
  };

  constructor() {
    subscribe("siphon:rados:connection", this.#onEvent);
  }

  [Symbol.dispose](): void {
    unsubscribe("siphon:rados:connection", this.#onEvent);
  }

  play(capture: Capture, bytes: Uint8Array, portions: readonly number[] = [bytes.length]): SessionOutcome {
    this.#lost = undefined;
    const candidates = [{ name: "mon.a", addrs: [capture.mon] }];
    const authenticator = new NoneAuthenticator({ type: "client", id: "admin" });
    let mgr: string | undefined;
    const client = new MonClient(
      this.#messenger,
      authenticator,
      { candidates },
      {
        monmap: () => {},
        osdmap: (message) => feed.take(message),
        config: () => {},
        mgrmap: (map) => {
          mgr = map.activeName;
        },
      },
    );
    const feed = new OsdMapFeed(client);
    client.open(60_000).catch((error: unknown) => {
      if (!(error instanceof RadosError)) throw error;
    });
    this.#transport.connected();
    this.#transport.deliver(bytes, portions);
    const outcome = {
      ...{ monmapEpoch: client.monmap?.epoch, osdmapEpoch: feed.map?.epoch, mgr },
      error: this.#lost,
    };
    client.close();
    this.#messenger.close();
    return outcome;
  }
}

/** A captured msgr2 session, taken apart: the banner and each frame's tag and segments. */
export interface SessionFrames {
  banner: Buffer;
  frames: { tag: number; segments: Buffer[] }[];
}

export function framesOf({ bytes }: Capture): SessionFrames {
  const bannerBytes = 10 + bytes.readUInt16LE(8);
  const region = Region.allocate(bytes.length);
  region.bytes.set(bytes);
  const codec = new CrcFramesRev1();
  const frames: SessionFrames["frames"] = [];
  for (let at = bannerBytes; at < bytes.length; at += codec.frameBytes) {
    codec.readHead(region, at);
    codec.readBody(region, at);
    const places = [
      [codec.at0, codec.length0],
      [codec.at1, codec.length1],
      [codec.at2, codec.length2],
      [codec.at3, codec.length3],
    ] as const;
    const segments = places.map(([start, length]) => bytes.subarray(start, start + length));
    frames.push({ tag: codec.tag, segments: segments.slice(0, codec.segments) });
  }
  return { banner: bytes.subarray(0, bannerBytes), frames };
}

/** Puts a session together again, with checksums that are right. */
export function joinFrames({ banner, frames }: SessionFrames): Buffer {
  const codec = new CrcFramesRev1();
  const encoded = frames.map(({ tag, segments }) => {
    const [a = 0, b = 0, c = 0, d = 0] = segments.map((segment) => segment.length);
    const region = Region.allocate(codec.plan(a, b, c, d));
    const places = [codec.outAt0, codec.outAt1, codec.outAt2, codec.outAt3];
    for (const [i, segment] of segments.entries()) region.bytes.set(segment, places[i]!);
    codec.seal(region, 0, tag);
    return region.bytes;
  });
  return Buffer.concat([banner, ...encoded]);
}
