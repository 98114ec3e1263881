import type { Edit } from '../events/catalogue.js';

/** Edits of the message box and of one-line inputs. */
export const EDITS: Readonly<Record<string, Edit>> = {
  'edit.left': { op: 'move', by: 'char', direction: -1 },
  'edit.right': { op: 'move', by: 'char', direction: 1 },
  'edit.word-left': { op: 'move', by: 'word', direction: -1 },
  'edit.word-right': { op: 'move', by: 'word', direction: 1 },
  'edit.line-start': { op: 'move', by: 'line', direction: -1 },
  'edit.line-end': { op: 'move', by: 'line', direction: 1 },
  'edit.text-start': { op: 'move', by: 'all', direction: -1 },
  'edit.text-end': { op: 'move', by: 'all', direction: 1 },
  'edit.delete-left': { op: 'delete', by: 'char', direction: -1 },
  'edit.delete-right': { op: 'delete', by: 'char', direction: 1 },
  'edit.delete-word-left': { op: 'delete', by: 'word', direction: -1 },
  'edit.delete-word-right': { op: 'delete', by: 'word', direction: 1 },
  'edit.delete-line-left': { op: 'delete', by: 'line', direction: -1 },
  'edit.delete-line-right': { op: 'delete', by: 'line', direction: 1 },
  'edit.yank': { op: 'yank' },
  'edit.undo': { op: 'undo' },
  'edit.redo': { op: 'redo' },
  'edit.newline': { op: 'insert', text: '\n' },
};
