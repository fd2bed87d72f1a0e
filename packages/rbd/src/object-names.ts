/** Names of the objects that RBD keeps in a pool (src/include/rbd_types.h, src/librbd/Utils.cc). */
export const directoryObject = "rbd_directory";
/** Clones of the first version, by parent. */
export const childrenObject = "rbd_children";
export const trashObject = "rbd_trash";
export const namespaceObject = "rbd_namespace";
/** Groups, by name and by id. */
export const groupDirectoryObject = "rbd_group_directory";
/** Tells a pool that was initialized for RBD. */
export const infoObject = "rbd_info";

export const idObject = (imageName: string) => `rbd_id.${imageName}`;
export const headerObject = (imageId: string) => `rbd_header.${imageId}`;
export const groupHeaderObject = (groupId: string) => `rbd_group_header.${groupId}`;
/** Header object of an image of format 1. */
export const oldHeaderObject = (imageName: string) => `${imageName}.rbd`;
export const dataPrefix = (imageId: string, ownPoolId: number, dataPoolId: number) =>
  dataPoolId === ownPoolId ? `rbd_data.${imageId}` : `rbd_data.${ownPoolId}.${imageId}`;
