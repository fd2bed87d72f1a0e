/**
 * Two clients talk through an object: one watches it, the other notifies.
 *
 *     node examples/watch-notify.ts POOL OBJECT
 */
import { Cluster } from "@siphon/rados";

const [poolName, object] = process.argv.slice(2);
if (poolName === undefined || object === undefined) {
  console.error("usage: node examples/watch-notify.ts POOL OBJECT");
  process.exit(2);
}

await using listener = await Cluster.connect();
const watched = await listener.pool(poolName);
// An object must exist to be watched.
await watched.write(object, 0, new Uint8Array());
const watch = await watched.watch(object, {
  notified: (payload) => {
    console.log(`heard: ${payload}`);
    return Buffer.from("good morning");
  },
  lost: (error) => console.error(`the watch is lost: ${error.message}`),
});

await using speaker = await Cluster.connect();
const { replies, missed } = await (await speaker.pool(poolName)).notify(object, Buffer.from("hello"));
for (const { client, payload } of replies) console.log(`client.${client} answered: ${payload}`);
console.log(`${missed.length} watchers did not answer`);
await watch.close();
