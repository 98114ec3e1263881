/** A repeatable source of numbers 0 <= n < 1: the same seed gives the same run (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What parsers of these dialects stumble over. */
const HOSTILE: readonly Buffer[] = [
  '{',
  '}',
  '[',
  '"',
  '\\',
  '\n',
  '\n\n',
  '\r',
  'data: ',
  'data: [DONE]\n\n',
  'event: error\n',
  'error: {"message":"x"}\n',
  ':\n\n',
  'null',
  'NaN',
  '-1',
  '1e999',
  '99999999999999999999999',
  '"__proto__":{"polluted":true},',
  '"constructor":1,',
  '\\ud83d',
  '\\u0000',
  '\x1b[2J',
  '\x1b]52;c;AAAA\x07',
  '\u202e',
  '<think>',
  '</think>',
  '<html>',
].map((text) => Buffer.from(text));

/** A copy with one to five things wrong: bits turned, bytes taken out, put in, doubled, cut off, or replaced by hostile text. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  let out: Buffer = Buffer.from(bytes);
  const times = 1 + Math.floor(random() * 5);
  for (let i = 0; i < times && out.length > 0; i++) out = mutateOnce(out, random);
  return out;
}

function mutateOnce(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length);
  const length = Math.min(bytes.length - at, 1 + Math.floor(random() ** 3 * 400));
  const before = bytes.subarray(0, at);
  const part = bytes.subarray(at, at + length);
  const after = bytes.subarray(at + length);
  switch (Math.floor(random() * 6)) {
    case 0: {
      const turned = Buffer.from(bytes);
      turned[at] = (turned[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return turned;
    }
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, part, part, after]);
    case 3:
      return Buffer.concat([before, HOSTILE[Math.floor(random() * HOSTILE.length)] ?? part, part, after]);
    case 4:
      return Buffer.concat([before, Buffer.from(part.map(() => Math.floor(random() * 256))), after]);
    default:
      return Buffer.from(before);
  }
}

/** The bytes in pieces of any size, as a socket gives them. */
export function inPieces(bytes: Buffer, random: () => number): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() ** 2 * 600);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
