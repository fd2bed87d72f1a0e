import { ObjectRequest } from "@siphon/rados/engine";
import type { ObjectExtents } from "../striping/extents.ts";
import type { Layout } from "../striping/layout.ts";
import type { ExtentHost } from "./extent-host.ts";
import type { ImageRequest } from "./image-request.ts";
import type { Operation } from "./operation.ts";

/** One object's part of an image's request: an extent of the object, and its place in the request. */
export abstract class ObjectExtent<Host extends ExtentHost = ExtentHost> extends ObjectRequest {
  readonly io: Host;
  operation!: Operation;
  objectNumber = 0;
  objectOffset = 0;
  length = 0;

  constructor(io: Host) {
    super();
    this.io = io;
  }

  /** All is done: returns the extent for reuse. */
  protected abstract release(): void;

  protected assign(operation: Operation, extents: ObjectExtents): void {
    this.operation = operation;
    this.objectNumber = extents.objectNumber;
    this.objectOffset = extents.objectOffset;
    this.length = extents.length;
    this.target = this.io.targets.get(extents.objectNumber);
    this.error = undefined;
  }

  protected get request(): ImageRequest {
    return this.operation.request;
  }

  protected get layout(): Layout {
    return this.io.layout;
  }

  /** The request's position of the byte at `position` of this extent. */
  protected positionOf(position: number): number {
    return this.layout.imageOffset(this.objectNumber, this.objectOffset + position) - this.request.offset;
  }

  protected fillFromRequest(into: Buffer, at: number, position: number, length: number): void {
    const { layout, request } = this;
    if (layout.plain) {
      request.fill(into, at, this.positionOf(position), length);
      return;
    }
    for (const end = position + length; position < end; ) {
      const run = Math.min(layout.run(this.objectOffset + position), end - position);
      request.fill(into, at, this.positionOf(position), run);
      at += run;
      position += run;
    }
  }

  takeToRequest(bytes: Buffer, start: number, end: number, position: number): void {
    const { layout, request } = this;
    if (layout.plain) {
      request.take(bytes, start, end, this.positionOf(position));
      return;
    }
    while (start < end) {
      const run = Math.min(layout.run(this.objectOffset + position), end - start);
      request.take(bytes, start, start + run, this.positionOf(position));
      start += run;
      position += run;
    }
  }

  zerosToRequest(position: number, length: number): void {
    const { layout, request } = this;
    if (layout.plain) {
      request.takeZeros(this.positionOf(position), length);
      return;
    }
    for (const end = position + length; position < end; ) {
      const run = Math.min(layout.run(this.objectOffset + position), end - position);
      request.takeZeros(this.positionOf(position), run);
      position += run;
    }
  }

  /** @param result 0 or more, or a negative errno */
  protected finish(result: number): void {
    const { operation } = this;
    if (result < 0) operation.fail(result, this.error);
    this.release();
    this.io.settle(operation);
  }
}
