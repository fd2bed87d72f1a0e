import {
  type EntityAddr,
  FEATURE_MSG_ADDR2,
  Reader,
  readEntityAddrVec,
  WireError,
  Writer,
  writeEntityAddrVec,
} from "@siphon/wire";
import { parseIni } from "../../../rados/src/config/ini.ts";
import { parseKeyring } from "../../../rados/src/config/keyring.ts";
import { parseMonHost } from "../../../rados/src/config/mon-host.ts";
import { decodeCrushMap } from "../../../rados/src/crush/decode.ts";
import { CrushMapper } from "../../../rados/src/crush/mapper.ts";
import { decodeIncremental } from "../../../rados/src/osdmap/incremental.ts";
import { OsdMap } from "../../../rados/src/osdmap/osdmap.ts";
import { withChecksum } from "../../../rados/test/support/osdmap-bytes.ts";
import { crushVectors } from "../../../rados/test/vectors/crush-maps.ts";
import { osdMapVectors } from "../../../rados/test/vectors/osdmaps.ts";
import { cephxInputs } from "./cephx.ts";
import { osdInputs } from "./osd-messages.ts";
import { outputInputs } from "./outputs.ts";
import { sessionInputs } from "./sessions.ts";

/** A decoder of untrusted bytes. */
export interface HostileInput {
  name: string;
  /** Valid inputs, to be damaged. */
  seeds: readonly Buffer[];
  /** Throws only SiphonErrors, whatever the input. */
  read(bytes: Buffer): unknown;
  /** Corrects a checksum, so that damage gets past it; used on most inputs. */
  repair?(bytes: Buffer): void;
}

/** Every decoder of the package; add new ones here. */
export function hostileInputs(): HostileInput[] {
  const crushMaps = crushVectors().map(({ map }) => Buffer.from(map, "base64"));
  const { fulls, incrementals } = osdMapVectors();
  const someOf = (maps: Map<number, Buffer>) => [...maps.values()].filter((_, i) => i % 6 === 5);
  return [
    { name: "CRUSH map", seeds: crushMaps, read: decodeCrushMap },
    { name: "placement by a CRUSH map", seeds: crushMaps.slice(0, 6), read: placeBy },
    { name: "OSD map", seeds: someOf(fulls), read: placeAll, repair: repairMap },
    { name: "incremental OSD map", seeds: someOf(incrementals), read: decodeIncremental, repair: repairMap },
    {
      name: "address list",
      seeds: [FEATURE_MSG_ADDR2, 0n].map(addressList),
      read: (bytes) => readEntityAddrVec(new Reader(bytes)),
    },
    {
      name: "keyring",
      seeds: [Buffer.from('[client.a]\n\tkey = AQBa==\n\tcaps mon = "allow *"\n; c\n')],
      read: (bytes) => parseKeyring(bytes.toString(), "keyring"),
    },
    {
      name: "ceph.conf",
      seeds: [Buffer.from('[global]\nmon host = a \\; b ; c\n[client]\nkeyring = "$name"\nx = a\\\n b\n')],
      read: (bytes) => parseIni(bytes.toString(), "ceph.conf"),
    },
    {
      name: "mon_host",
      seeds: [
        Buffer.from("192.0.2.1, [v2:192.0.2.4:3300,v1:192.0.2.4:6789] [2001:db8::1]:3300 mon1:6789"),
        Buffer.from("[v2:[2001:db8::2]:3300/0,v1:[2001:db8::2]:6789/0];v1:192.0.2.3"),
      ],
      read: (bytes) => parseMonHost(bytes.toString()),
    },
    ...sessionInputs(),
    ...cephxInputs(),
    ...osdInputs(),
    ...outputInputs(),
  ];
}

function addressList(features: bigint): Buffer {
  const addr: EntityAddr = { type: "legacy", nonce: 7, family: 4, address: "192.0.2.1", port: 6789 };
  const second: EntityAddr = { type: "msgr2", nonce: 7, family: 6, address: "2001:db8::1", port: 3300 };
  const w = new Writer();
  writeEntityAddrVec(w, [addr, second], features);
  return w.finish();
}

/** Sizes and inputs typical of pools. */
function placeBy(bytes: Buffer): void {
  const map = decodeCrushMap(bytes);
  const mapper = new CrushMapper(map);
  const weights = new Uint32Array(16).fill(0x10000);
  const out = new Int32Array(6);
  for (let rule = 0; rule < Math.min(map.rules.length, 12); rule++) {
    mapper.place(rule, rule * 7919, 1 + (rule % 6), weights, 0, out);
  }
}

function placeAll(bytes: Buffer): void {
  const map = OsdMap.decode(bytes);
  for (const pool of [...map.state.pools.values()].slice(0, 4)) {
    map.place(pool, map.pgOf(pool, "object").seed);
  }
}

/** The checksum of a full map or an incremental lies after its two inner structs, if those are whole. */
function repairMap(bytes: Buffer): void {
  try {
    const r = new Reader(bytes);
    r.skip(6);
    r.skipStruct();
    r.skipStruct();
    const crcAt = r.position;
    r.skip(4);
    bytes.writeUInt32LE(bytes.length - 6, 2);
    withChecksum(bytes, crcAt);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}
