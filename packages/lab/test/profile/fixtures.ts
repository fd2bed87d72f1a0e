import type { Profile } from "../../src/profile/profile.ts";
import { hostile } from "../fixtures/results.ts";

const loop = ["clone3", "start_thread", "EventCenter::process_events(unsigned int)"];

/** A profile as of a small client: a messenger that decrypts and waits, an idle timer, names from outside. */
export function exampleProfile(change: Partial<Profile> = {}): Profile {
  return {
    schema: 1,
    process: { pid: 4711, name: "fio" },
    started: "2026-03-14T09:26:53.589Z",
    seconds: 10,
    intervalMs: 50,
    backend: "eu-stack",
    rounds: 100,
    cores: 2,
    threads: [
      { tid: 4712, name: "msgr-worker-0", busy: 62, delayed: 12 },
      { tid: 4713, name: "safe_timer", busy: 0, delayed: 0 },
      { tid: 4714, name: "safe_timer", busy: 0, delayed: 0 },
    ],
    groups: [
      {
        name: "msgr-worker-0",
        samples: 100,
        running: 60,
        stacks: [
          { frames: [...loop, "epoll_wait"], samples: 40, running: 0 },
          {
            frames: [...loop, "read()", "aes_gcm_cipher", "_aesni_ctr32_ghash_6x"],
            samples: 35,
            running: 35,
          },
          { frames: [...loop, "read()", "memcpy"], samples: 24, running: 24 },
          { frames: [...loop, hostile, "memcpy"], samples: 1, running: 1 },
        ],
      },
      {
        name: "safe_timer",
        samples: 200,
        running: 0,
        stacks: [{ frames: ["clone3", "start_thread", "futex_wait"], samples: 200, running: 0 }],
      },
    ],
    cost: {
      sampleMs: { median: 9.2, max: 31 },
      stopMs: 0.5,
      attachMs: 0,
      busySampled: 60,
      busyUnsampled: 64,
    },
    unnamed: [],
    ...change,
  };
}
