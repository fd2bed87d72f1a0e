import { AttachError } from "../errors.ts";
import type { NbdExport } from "./export.ts";
import { contextsFor, parseContextQuery } from "./meta-context.ts";
import * as encode from "./option-replies.ts";
import { handshakeFlag, info, maxString, option, optionMagic, optionReply } from "./protocol.ts";
import { type MetaContext, type Session, transmissionFlags } from "./session.ts";

/** The exports by name; the empty name stands for the only one. */
export type ExportTable = ReadonlyMap<string, NbdExport>;

export interface HandshakeEvents {
  send(bytes: Buffer): void;
  /** Option negotiation is over. */
  agreed(session: Session): void;
  /** The stream is encrypted from the next byte on. */
  startTls(): void;
  /** The client aborts, or cannot be served. */
  end(): void;
}

/**
 * The fixed newstyle handshake: a client sends options until it chooses an export. The server begins: u64 `NBDMAGIC`,
 * u64 `IHAVEOPT`, u16 flags; the client answers with u32 flags, and then with options.
 */
export class Handshake {
  readonly #exports: ExportTable;
  readonly #events: HandshakeEvents;
  readonly #offersTls: boolean;
  #isEncrypted = false;
  #gotFlags = false;
  #noZeroes = false;
  #options = 0;
  #isOver = false;
  #replies: Session["replies"] = "simple";
  #contexts: readonly MetaContext[] = [];
  /** The export that the contexts were chosen for. */
  #contextsOf: NbdExport | undefined;

  /** @param offersTls whether the client must start TLS before any other option */
  constructor(exports: ExportTable, offersTls: boolean, events: HandshakeEvents) {
    this.#exports = exports;
    this.#offersTls = offersTls;
    this.#events = events;
  }

  greet(): void {
    this.#events.send(encode.greeting());
  }

  /** TLS is on: everything negotiated before is void. */
  encrypted(): void {
    this.#isEncrypted = true;
    this.#isOver = false;
    this.#replies = "simple";
    this.#contexts = [];
    this.#contextsOf = undefined;
  }

  /**
   * Takes options from the bytes from `start` up to `end` and returns where it stopped: at the end, before an
   * incomplete option, or after the last one.
   */
  receive(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (!this.#gotFlags) {
      if (end - at < 4) return at;
      this.#takeFlags(bytes.readUInt32BE(at));
      at += 4;
    }
    while (!this.#isOver && end - at >= optionHeaderBytes) {
      const [high, low] = optionMagic;
      if (bytes.readUInt32BE(at) !== high || bytes.readUInt32BE(at + 4) !== low) {
        throw violation("an option did not start with IHAVEOPT");
      }
      const code = bytes.readUInt32BE(at + 8);
      const length = bytes.readUInt32BE(at + 12);
      if (length > maxOption) {
        this.#reply(code, optionReply.tooBig);
        throw violation(`option ${code} has ${length} bytes; the maximum is ${maxOption}`);
      }
      if (end - at < optionHeaderBytes + length) break;
      if (++this.#options > mostOptions) throw violation(`more than ${mostOptions} options`);
      at += optionHeaderBytes;
      this.#takeOption(code, bytes.subarray(at, at + length));
      at += length;
    }
    return at;
  }

  #takeFlags(flags: number): void {
    if ((flags & handshakeFlag.fixedNewstyle) === 0)
      throw violation("the client does not support fixed newstyle negotiation");
    if ((flags & ~(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)) !== 0) {
      throw violation(`unknown handshake flags 0x${flags.toString(16)}`);
    }
    this.#gotFlags = true;
    this.#noZeroes = (flags & handshakeFlag.noZeroes) !== 0;
  }

  #takeOption(code: number, data: Buffer): void {
    if (code === option.abort) {
      this.#reply(code, optionReply.ack);
      this.#end();
    } else if (code === option.startTls) {
      this.#startTls(data);
    } else if (this.#offersTls && !this.#isEncrypted) {
      if (code === option.exportName) throw violation("the client requested an export without encryption");
      this.#reply(code, optionReply.tlsRequired);
    } else {
      const closing = this.#closingReply(code, data);
      if (closing !== undefined) this.#reply(code, closing);
    }
  }

  /** Carries out an option and returns the reply that ends it. */
  #closingReply(code: number, data: Buffer): number | undefined {
    switch (code) {
      case option.exportName:
        this.#exportName(data);
        return undefined;
      case option.list:
        return this.#list(data);
      case option.info:
      case option.go:
        return this.#infoOrGo(code, data);
      case option.structuredReply:
      case option.extendedHeaders:
        return this.#chooseReplies(code, data);
      case option.listMetaContext:
      case option.setMetaContext:
        return this.#metaContexts(code, data);
      default:
        return optionReply.unsupported;
    }
  }

  #startTls(data: Buffer): void {
    const code = option.startTls;
    if (!this.#offersTls) {
      this.#reply(code, optionReply.policy, "this server has no certificates");
    } else if (this.#isEncrypted || data.length > 0) {
      this.#reply(code, optionReply.invalid);
    } else {
      this.#reply(code, optionReply.ack);
      this.#isOver = true;
      this.#events.startTls();
    }
  }

  /** NBD_OPT_EXPORT_NAME, the oldest option: the answer is only size and flags, or the end of the connection. */
  #exportName(data: Buffer): void {
    const chosen = this.#find(data.toString());
    if (chosen === undefined) throw violation(`there is no export called ${JSON.stringify(shown(data))}`);
    if (this.#replies === "extended")
      throw violation("NBD_OPT_EXPORT_NAME cannot be used with extended headers");
    this.#events.send(encode.chosenExport(chosen.device.size, this.#flags(chosen), !this.#noZeroes));
    this.#agree(chosen);
  }

  #list(data: Buffer): number {
    if (data.length > 0) return optionReply.invalid;
    for (const { name, description } of this.#exports.values()) {
      this.#reply(option.list, optionReply.server, encode.listedExport(name, description));
    }
    return optionReply.ack;
  }

  /** u32 length of the name, the name, u16 number of items asked for, u16 each. */
  #infoOrGo(code: number, data: Buffer): number {
    const nameLength = data.length >= 6 ? data.readUInt32BE(0) : maxString + 1;
    if (nameLength > maxString || data.length < 6 + nameLength) return optionReply.invalid;
    const asked = data.readUInt16BE(4 + nameLength);
    if (data.length !== 6 + nameLength + 2 * asked) return optionReply.invalid;
    const chosen = this.#find(data.toString("utf8", 4, 4 + nameLength));
    if (chosen === undefined) return optionReply.unknown;
    const wanted = new Set<number>();
    for (let i = 0; i < asked; i++) wanted.add(data.readUInt16BE(6 + nameLength + 2 * i));
    this.#inform(code, chosen, wanted);
    if (code === option.go) this.#agree(chosen);
    return optionReply.ack;
  }

  #inform(code: number, chosen: NbdExport, wanted: ReadonlySet<number>): void {
    const { name, description, device } = chosen;
    this.#reply(code, optionReply.info, encode.exportInfo(device.size, this.#flags(chosen)));
    if (wanted.has(info.name)) this.#reply(code, optionReply.info, encode.textInfo(info.name, name));
    if (wanted.has(info.description)) {
      this.#reply(code, optionReply.info, encode.textInfo(info.description, description));
    }
    this.#reply(code, optionReply.info, encode.blockSizeInfo());
  }

  #chooseReplies(code: number, data: Buffer): number {
    if (data.length > 0) return optionReply.invalid;
    if (code === option.extendedHeaders) this.#replies = "extended";
    else if (this.#replies === "simple") this.#replies = "structured";
    else if (this.#replies === "extended") return optionReply.extendedHeadersRequired;
    return optionReply.ack;
  }

  #metaContexts(code: number, data: Buffer): number {
    const setting = code === option.setMetaContext;
    if (setting) {
      this.#contexts = [];
      this.#contextsOf = undefined;
    }
    const query = this.#replies === "simple" ? undefined : parseContextQuery(data);
    if (query === undefined) return optionReply.invalid;
    const chosen = this.#find(query.exportName);
    if (chosen === undefined) return optionReply.unknown;
    const contexts = contextsFor(chosen.extents, query.queries, setting);
    for (const { id, name } of contexts) {
      this.#reply(code, optionReply.metaContext, encode.metaContext(setting ? id : 0, name));
    }
    if (setting) {
      this.#contexts = contexts;
      this.#contextsOf = chosen;
    }
    return optionReply.ack;
  }

  #find(name: string): NbdExport | undefined {
    if (name === "" && this.#exports.size === 1) return this.#exports.values().next().value;
    return this.#exports.get(name);
  }

  #flags(chosen: NbdExport): number {
    return transmissionFlags(chosen, { replies: this.#replies, contexts: this.#chosenContexts(chosen) });
  }

  #chosenContexts(chosen: NbdExport): readonly MetaContext[] {
    return this.#contextsOf === chosen ? this.#contexts : [];
  }

  #agree(chosen: NbdExport): void {
    this.#isOver = true;
    const contexts = this.#chosenContexts(chosen);
    this.#events.agreed({ export: chosen, replies: this.#replies, contexts });
  }

  #end(): void {
    this.#isOver = true;
    this.#events.end();
  }

  #reply(code: number, type: number, data: Buffer | string = ""): void {
    this.#events.send(encode.optionReply(code, type, Buffer.from(data)));
  }
}

/** u64 magic, u32 option, u32 length of its data. */
const optionHeaderBytes = 16;
/** Bytes of an option's data. */
const maxOption = 64 << 10;
/** No client sends more; a client that does not read the answers would fill our memory. */
const mostOptions = 256;

function violation(message: string): AttachError {
  return new AttachError("SIPHON_ATTACH_PROTOCOL", message);
}

function shown(name: Buffer): string {
  return name.toString("utf8", 0, 80);
}
