/** The contents of the fenced code blocks of a Markdown text, in order; an open block at the end counts. */
export function fencedBlocks(text: string): readonly string[] {
  const blocks: string[] = [];
  let open: { fence: string; lines: string[] } | null = null;
  for (const line of text.split('\n')) {
    const fence = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (!open) {
      if (fence) open = { fence, lines: [] };
    } else if (
      fence &&
      fence[0] === open.fence[0] &&
      fence.length >= open.fence.length &&
      line.trim() === fence
    ) {
      blocks.push(open.lines.join('\n'));
      open = null;
    } else open.lines.push(line);
  }
  if (open && open.lines.length > 0) blocks.push(open.lines.join('\n'));
  return blocks;
}
