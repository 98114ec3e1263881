import { takeProcessLock, type ProcessLock } from '../process-lock.js';

/**
 * Only one process appends to a chat; a second one that wants to goes on in a copy: a copy too many does no harm. Two that take over
 * the same stale lock at once both append whole lines of turns with ids of their own to one file, which reading joins again.
 */
export type ChatLock = ProcessLock;

/** Null: another living process has it. Throws the errors of node:fs. */
export function takeChatLock(file: string): ChatLock | null {
  return takeProcessLock(file);
}
