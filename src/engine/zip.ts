import type { ReadAt } from './window.js';

/** A member of a ZIP archive. Sizes in bytes. */
export interface ZipMember {
  readonly name: string;
  /** 0: stored as it is; 8: deflated. */
  readonly method: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  /** Where its bytes begin in the archive. */
  readonly start: number;
}

export class ZipError extends Error {}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const COMMENT_LIMIT = 65_535;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
/** Both archives read here have some dozens of members. */
const DIRECTORY_LIMIT_BYTES = 4 * 1024 * 1024;
const NOT_HERE = 0xffff_ffff;

/** The first member with such a name. Throws ZipError for what is no archive, or has none. Bytes before the archive do no harm. */
export async function findInZip(
  read: ReadAt,
  totalBytes: number,
  wanted: (name: string) => boolean,
): Promise<ZipMember> {
  const { directory } = await directoryOf(read, totalBytes);
  const view = new DataView(directory.buffer, directory.byteOffset, directory.length);
  for (let at = 0; at + ENTRY_BYTES <= view.byteLength;) {
    if (view.getUint32(at, true) !== ENTRY_SIGNATURE) break;
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    ) as [number, number, number];
    const end = at + ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (end > view.byteLength) break;
    const name = Buffer.from(directory.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes)).toString(
      'utf8',
    );
    if (wanted(name)) return memberAt(read, view, at, name, { nameBytes, extraBytes });
    at = end;
  }
  throw new ZipError('has no such member');
}

async function memberAt(
  read: ReadAt,
  view: DataView,
  at: number,
  name: string,
  { nameBytes, extraBytes }: { readonly nameBytes: number; readonly extraBytes: number },
): Promise<ZipMember> {
  const extra = at + ENTRY_BYTES + nameBytes;
  const [sizeBytes = 0, packedBytes = 0, local = 0] = wide(view, extra, extra + extraBytes, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ]);
  const header = await exactly(read, local, LOCAL_BYTES);
  if (header.getUint32(0, true) !== LOCAL_SIGNATURE) throw new ZipError('is damaged');
  const start = local + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  const method = view.getUint16(at + 10, true);
  return { name, method, crc32: view.getUint32(at + 16, true), packedBytes, sizeBytes, start };
}

/** Sizes and places above 4 GB stand in an extra field, those only that do not fit, in this order. */
function wide(view: DataView, from: number, to: number, values: readonly number[]): readonly number[] {
  for (let at = from; at + 4 <= to;) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1) {
      let next = at + 4;
      return values.map((value) => {
        if (value !== NOT_HERE || next + 8 > Math.min(to, at + 4 + length)) return value;
        next += 8;
        return size64(view, next - 8);
      });
    }
    at += 4 + length;
  }
  return values;
}

async function directoryOf(read: ReadAt, totalBytes: number): Promise<{ readonly directory: Uint8Array }> {
  const tailBytes = Math.min(totalBytes, END_BYTES + COMMENT_LIMIT + END64_LOCATOR_BYTES);
  const tailStart = totalBytes - tailBytes;
  const tail = await exactly(read, tailStart, tailBytes);
  let end = tailBytes - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END_SIGNATURE) end -= 1;
  if (end < 0) throw new ZipError('is no ZIP archive');
  let size = tail.getUint32(end + 12, true);
  let start = tail.getUint32(end + 16, true);
  const locator = end - END64_LOCATOR_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === END64_LOCATOR_SIGNATURE) {
    const end64 = await exactly(read, size64(tail, locator + 8), 56);
    if (end64.getUint32(0, true) !== END64_SIGNATURE) throw new ZipError('is damaged');
    size = size64(end64, 40);
    start = size64(end64, 48);
  }
  if (size > DIRECTORY_LIMIT_BYTES || start + size > totalBytes) throw new ZipError('is damaged');
  const view = await exactly(read, start, size);
  return { directory: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) };
}

async function exactly(read: ReadAt, position: number, length: number): Promise<DataView> {
  const bytes = await read(position, length);
  if (bytes.length < length) throw new ZipError('is damaged');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function size64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw new ZipError('is damaged');
  return value;
}
