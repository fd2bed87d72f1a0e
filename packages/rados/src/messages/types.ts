/** Numbers of the messages a client exchanges (src/include/ceph_fs.h, src/msg/Message.h). */
export const messageType = {
  monMap: 4,
  monSubscribe: 15,
  monSubscribeAck: 16,
  auth: 17,
  authReply: 18,
  monGetVersion: 19,
  monGetVersionReply: 20,
  osdMap: 41,
  monCommand: 50,
  monCommandAck: 51,
  config: 62,
  command: 97,
  commandReply: 98,
  mgrMap: 0x704,
  mgrCommand: 0x709,
  mgrCommandReply: 0x70a,
} as const;
