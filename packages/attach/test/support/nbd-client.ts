import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Reply {
  /** Error of the first error chunk, or of a simple reply; 0 for none. */
  error: number;
  chunks: { type: number; payload: Buffer }[];
}

export interface Request {
  type: number;
  flags?: number;
  offset?: number;
  length?: number;
  payload?: Buffer;
}

/** A client that says exactly what it is told to: for what real clients do not do. */
export class NbdClient {
  readonly socket: Socket;
  extended = false;
  /** The id of the first context that was agreed on. */
  firstContext = 0;
  /** Bytes that have come and were not read yet. */
  #chunks: Buffer[] = [];
  #arrived = 0;
  #wake: (() => void) | undefined;
  #ended = false;
  #cookie = 0n;

  static async connect(path: string): Promise<NbdClient> {
    const socket = connect(path);
    await once(socket, "connect");
    return new NbdClient(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#arrived += bytes.length;
      this.#wake?.();
    });
    const ended = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("error", ended);
    socket.on("close", ended);
    socket.on("end", ended);
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  async read(length: number): Promise<Buffer> {
    while (this.#arrived < length) {
      if (this.#ended) throw new Error(`the server ended the connection`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(length)];
    this.#arrived -= length;
    return all.subarray(0, length);
  }

  /** Waits until the server hangs up. */
  async end(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async greet(flags = 3): Promise<Buffer> {
    const greeting = await this.read(18);
    this.socket.write(u32(flags));
    return greeting;
  }

  sendOption(code: number, data: Buffer = Buffer.alloc(0)): void {
    this.socket.write(Buffer.concat([Buffer.from("IHAVEOPT"), u32(code), u32(data.length), data]));
  }

  async optionReply(): Promise<{ option: number; type: number; data: Buffer }> {
    const header = await this.read(20);
    const data = await this.read(header.readUInt32BE(16));
    return { option: header.readUInt32BE(8), type: header.readUInt32BE(12), data };
  }

  /** Sends an option and returns all replies up to the one that ends it. */
  async option(code: number, data?: Buffer): Promise<{ type: number; data: Buffer }[]> {
    this.sendOption(code, data);
    const replies: { type: number; data: Buffer }[] = [];
    for (;;) {
      const { type, data: answer } = await this.optionReply();
      replies.push({ type, data: answer });
      if (type === 1 || type >= 0x8000_0000) return replies;
    }
  }

  /** Greets, and enters transmission with compact headers and simple replies, or with what is requested. */
  async go(
    name: string,
    { structured = false, extended = false, contexts = [] as string[] } = {},
  ): Promise<void> {
    await this.greet();
    if (structured) await this.option(8);
    if (extended) await this.option(11);
    this.extended = extended;
    if (contexts.length > 0) {
      const [first] = await this.option(10, contextQuery(name, contexts));
      this.firstContext = first!.data.readUInt32BE(0);
    }
    const replies = await this.option(7, goRequest(name));
    if (replies.at(-1)!.type !== 1) throw new Error("the server refused the export");
  }

  send({ type, flags = 0, offset = 0, length, payload = Buffer.alloc(0) }: Request): bigint {
    const cookie = ++this.#cookie;
    const total = length ?? payload.length;
    const header = Buffer.alloc(this.extended ? 32 : 28);
    header.writeUInt32BE(this.extended ? 0x21e41c71 : 0x25609513, 0);
    header.writeUInt16BE(flags, 4);
    header.writeUInt16BE(type, 6);
    header.writeBigUInt64BE(cookie, 8);
    header.writeBigUInt64BE(BigInt(offset), 16);
    if (this.extended) header.writeBigUInt64BE(BigInt(total), 24);
    else header.writeUInt32BE(total, 24);
    this.socket.write(Buffer.concat([header, payload]));
    return cookie;
  }

  /** The next simple reply; of a read of `length` bytes. */
  async simpleReply(length = 0): Promise<{ cookie: bigint; error: number; data: Buffer }> {
    const header = await this.read(16);
    if (header.readUInt32BE(0) !== 0x67446698) throw new Error("not a simple reply");
    const error = header.readUInt32BE(4);
    const data = await this.read(error === 0 ? length : 0);
    return { cookie: header.readBigUInt64BE(8), error, data };
  }

  /** Chunks up to the last one of a reply; a simple reply where the server may send one. */
  async reply(): Promise<Reply> {
    const reply: Reply = { error: 0, chunks: [] };
    for (;;) {
      const start = await this.read(16);
      const magic = start.readUInt32BE(0);
      if (magic === 0x67446698) return { error: start.readUInt32BE(4), chunks: [] };
      if (magic !== (this.extended ? 0x6e8a278c : 0x668e33ef)) throw new Error("not a reply chunk");
      const rest = await this.read(this.extended ? 16 : 4);
      const length = this.extended ? Number(rest.readBigUInt64BE(8)) : rest.readUInt32BE(0);
      const payload = Buffer.from(await this.read(length));
      const type = start.readUInt16BE(6);
      if (type >= 0x8000) reply.error = payload.readUInt32BE(0);
      else reply.chunks.push({ type, payload });
      if ((start.readUInt16BE(4) & 1) !== 0) return reply;
    }
  }

  async request(request: Request): Promise<Reply> {
    this.send(request);
    return this.reply();
  }
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** The data of INFO and GO. */
export function goRequest(name: string, items: number[] = []): Buffer {
  return Buffer.concat([
    text(name),
    Buffer.from([0, items.length]),
    ...items.map((item) => Buffer.from([0, item])),
  ]);
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function contextQuery(name: string, queries: string[]): Buffer {
  return Buffer.concat([text(name), u32(queries.length), ...queries.map(text)]);
}
