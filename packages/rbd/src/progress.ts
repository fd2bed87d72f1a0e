/** Called as a long task goes on; `done` of `total`, in the unit of the task: objects, bytes, images. */
export type OnProgress = (done: number, total: number) => void;
