/** A model hub on this machine that has the second model of the catalogue, in small. */
import { createHash } from 'node:crypto';
import { CATALOGUE } from '../../src/domain/catalogue.js';
import { file, FileServer, json, type FileReply } from './file-server.js';
import { CHAT_MODEL, ggufModel } from './gguf-file.js';

export const HUB_MODEL = ggufModel(CHAT_MODEL, { weights: 500_000 });

const entry = CATALOGUE.find(({ name }) => name === 'qwen3.5-0.8b');
const FILE = `/${entry?.repo ?? ''}/resolve/main/${entry?.file ?? ''}`;
/** Under which it is listed. */
export const HUB_MODEL_NAME = (entry?.file ?? '').replace(/\.gguf$/, '');

export async function startHub(reply: FileReply = file(HUB_MODEL)): Promise<FileServer> {
  const hub = await FileServer.start();
  const sha256 = createHash('sha256').update(HUB_MODEL).digest('hex');
  const siblings = [
    { rfilename: entry?.file, size: HUB_MODEL.length, lfs: { sha256, size: HUB_MODEL.length } },
  ];
  return hub.reply(`/api/models/${entry?.repo ?? ''}`, json({ siblings })).reply(FILE, reply);
}

/** Half of the file, and then nothing until the end of the test. */
export const half: FileReply = (_request, response) => {
  response.writeHead(200, { etag: '"v1"', 'content-length': String(HUB_MODEL.length) });
  response.write(HUB_MODEL.subarray(0, HUB_MODEL.length / 2));
};

/** From now on the whole file. */
export function giveAll(hub: FileServer): void {
  hub.reply(FILE, file(HUB_MODEL));
}
