import type { ObjectRequest } from "@siphon/rados/engine";
import { ImageIo, type ImageIoOptions } from "../io/image-io.ts";
import { ObjectWrite } from "../io/object-write.ts";
import { type WriteEpoch, WriteEpochs } from "../io/write-epochs.ts";

/**
 * The I/O of one of several threads. It tracks writes in flight: before another thread removes an object and marks it
 * as absent, writes that were sent because the map listed the object must be done.
 */
export class TrackedIo extends ImageIo {
  readonly #sent: WriteEpochs;

  constructor(options: ImageIoOptions) {
    const sent = new WriteEpochs();
    const { objecter } = options;
    const submit = (request: ObjectRequest) => {
      if (request instanceof TrackedWrite) request.sent = sent.begin();
      objecter.submit(request);
    };
    super({ ...options, objecter: { submit } });
    this.#sent = sent;
  }

  /** Resolves when all earlier writes to objects are done. Writes that wait for the map or the lock do not count. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.#sent.whenDone(resolve));
  }

  protected override newWrite(spares: ObjectWrite[]): ObjectWrite {
    return new TrackedWrite(this, spares, this.#sent);
  }
}

class TrackedWrite extends ObjectWrite {
  sent!: WriteEpoch;
  readonly #epochs: WriteEpochs;

  constructor(io: ImageIo, spares: ObjectWrite[], epochs: WriteEpochs) {
    super(io, spares);
    this.#epochs = epochs;
  }

  override completed(): void {
    // It may be resent within the call.
    const { sent } = this;
    super.completed();
    this.#epochs.end(sent);
  }
}
