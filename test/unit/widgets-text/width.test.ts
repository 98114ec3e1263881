import { describe, expect, it } from '@jest/globals';
import { clusterWidth, graphemes, safeCluster, stringWidth } from '../../../widgets/text/width.js';

describe('stringWidth', () => {
  it.each([
    ['', 0],
    ['hello', 5],
    ['café', 4],
    ['cafe\u0301', 4],
    ['漢字', 4],
    ['한국', 4],
    ['ｱｲｳ', 3],
    ['ＡＢ', 4],
    ['╭──╮', 4],
    ['▕███▌▏', 6],
    ['😀', 2],
    ['✅⚡⏳⭐', 8],
    ['👨‍👩‍👧‍👦', 2],
    ['👍🏽', 2],
    ['🇺🇸', 2],
    ['⚠️', 1],
    ['1️⃣', 1],
    ['สวัสดี', 4],
    ['…—↓●▸', 5],
    ['mixed 漢 and 😀!', 16],
  ])('%s takes %i cells', (text, width) => {
    expect(stringWidth(text)).toBe(width);
  });

  it('is the sum over its clusters', () => {
    for (const text of ['a漢😀é', '👩‍💻 नमस्ते', '🇩🇪🇫🇷', 'z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞']) {
      expect(graphemes(text).reduce((sum, cluster) => sum + clusterWidth(cluster), 0)).toBe(
        stringWidth(text),
      );
    }
  });
});

describe('safeCluster', () => {
  it.each([
    ['a', 'a'],
    ['e\u0301', 'é'],
    ['👨‍👩‍👧‍👦', '👨'],
    ['👍🏽', '👍'],
    ['🇺🇸', 'US'],
    ['⚠️', '⚠'],
    ['1️⃣', '1'],
    ['z̴͙̤', 'z̴͙'],
  ])('%s is shown as %s', (cluster, safe) => {
    expect(safeCluster(cluster)).toBe(safe);
  });
});
