import { MessageChannel } from "node:worker_threads";
import type { ObjectRequest } from "@siphon/rados/engine";
import type { RbdError } from "../../src/errors.ts";
import type { ImageState } from "../../src/image-state.ts";
import type { ImageIo } from "../../src/io/image-io.ts";
import { objectState } from "../../src/object-map/object-state.ts";
import { ObjectStates } from "../../src/object-map/object-states.ts";
import { OwnerIo } from "../../src/workers/owner-io.ts";
import { WorkerLink } from "../../src/workers/worker-link.ts";
import { WorkerSide } from "../../src/workers/worker-side.ts";
import { imageState } from "./image-states.ts";
import { MemoryOsd } from "./memory-osd.ts";
import { Requests } from "./requests.ts";

/** An OSD's client: its requests are carried out in their order, but later than those of other clients, if `held`. */
export class Wire {
  held: ObjectRequest[] | undefined;
  readonly #osd: MemoryOsd;

  constructor(osd: MemoryOsd) {
    this.#osd = osd;
  }

  submit(request: ObjectRequest): void {
    if (this.held === undefined) this.#osd.submit(request);
    else this.held.push(request);
  }

  /** Lets the first request that is held go; false if there is none. */
  step(): boolean {
    const request = this.held?.shift();
    if (request !== undefined) this.#osd.submit(request);
    return request !== undefined;
  }

  release(): void {
    while (this.step());
    this.held = undefined;
  }
}

export interface RigWorker {
  readonly wire: Wire;
  readonly io: ImageIo;
  readonly image: Requests;
  readonly link: WorkerLink;
}

/** An image with an owner and workers, all in this thread: they talk through ports, as threads do. */
export class WorkerRig implements Disposable {
  readonly osd = new MemoryOsd();
  readonly wire = new Wire(this.osd);
  readonly owner: OwnerIo;
  readonly image: Requests;
  readonly workers: RigWorker[] = [];
  /** What workers died of. */
  readonly deaths: RbdError[] = [];
  locks = 0;
  lock: { owned: boolean } | undefined;
  ensure: () => Promise<void> = async () => {
    this.locks++;
  };
  readonly #ports = new DisposableStack();

  private constructor(state: ImageState) {
    this.owner = new OwnerIo({
      objecter: this.wire,
      state,
      ensureOwner: async () => {},
      tuning: { discardGranularity: 0 },
    });
    this.image = new Requests(this.owner);
  }

  static async open(
    count: number,
    {
      state = imageState(),
      map = true,
      parent,
    }: { state?: ImageState; map?: boolean; parent?: ImageIo } = {},
  ): Promise<WorkerRig> {
    const rig = new WorkerRig(state);
    void rig.owner.follow(state, parent);
    if (map) rig.useMap(new ObjectStates(rig.owner.layout.objectCount(state.size)));
    for (let index = 0; index < count; index++) rig.workers.push(await rig.#add());
    return rig;
  }

  useMap(states: ObjectStates): void {
    const { id: imageId, poolId, namespace } = this.owner.state;
    const objecter = this.wire;
    this.owner.useMap(
      this.owner.newMap({ objecter, poolId, namespace, imageId, states, onInvalid: async () => {} }),
    );
  }

  /** What the map says, as far as it denies objects. */
  get denied(): boolean[] {
    const { states } = this.owner.objectMap!;
    return Array.from({ length: states.size }, (_, at) => states.get(at) === objectState.nonexistent);
  }

  /** Whether an object is missing at the OSD. */
  get missing(): boolean[] {
    const { objectPrefix } = this.owner.state;
    const name = (at: number) => `${objectPrefix}.${at.toString(16).padStart(16, "0")}`;
    const count = this.owner.layout.objectCount(this.owner.state.size);
    return Array.from({ length: count }, (_, at) => !this.osd.objects.has(name(at)));
  }

  [Symbol.dispose](): void {
    this.#ports.dispose();
  }

  async #add(): Promise<RigWorker> {
    const { port1, port2 } = new MessageChannel();
    this.#ports.defer(() => port1.close());
    const wire = new Wire(this.osd);
    const side = new WorkerSide(port2, {
      objecter: wire,
      run: async (_, io) => opened.resolve(io),
      abort: () => {},
      tell: () => {},
      end: () => {},
    });
    const opened = Promise.withResolvers<ImageIo>();
    const rig = this;
    const link = new WorkerLink(
      port1,
      {
        header: { name: "a" },
        get lock() {
          return rig.lock;
        },
        ensureOwner: () => rig.ensure(),
        renewParents: async () => {},
        workerDied: (error) => void rig.deaths.push(error),
      },
      this.owner,
      {},
    );
    side.owner.tell({ type: "connected" });
    await link.opened;
    await link.run({ type: "run", run: 0, module: "", index: 0, count: 1, data: undefined });
    const io = await opened.promise;
    return { wire, io, image: new Requests(io), link };
  }
}

/** Waits until nothing is on its way between threads, or done by setImmediate, any more. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
