import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import type { ChatWrapper, LlamaModel, LlamaModule } from '../../../src/engine/llama.js';
import { openTemplates } from '../../../src/engine/templates.js';
import { useFolder } from '../../support/folder.js';

class Form {
  readonly settings = {};
  generateContextState(): ReturnType<ChatWrapper['generateContextState']> {
    return { contextText: { tokenize: () => [] } };
  }
}
class ChatMl extends Form {}
class Special extends Form {}
class Own extends Form {}
/** A template that cannot be read with what the engine knows of it. */
class Unreadable extends Form {
  override generateContextState(): never {
    throw new Error('unknown filter');
  }
}

const MODEL = {} as LlamaModel;
const folder = useFolder();

/** The engine: what it finds by itself, and what a model's own template is. */
function engine(
  Found: new () => Form,
  Template: (new () => Form) | null,
): Pick<LlamaModule, 'chatWrappers' | 'resolveChatWrapper'> {
  const forms = { chatML: ChatMl, special: Special, ...(Template ? { jinjaTemplate: Template } : {}) };
  return {
    chatWrappers: forms,
    resolveChatWrapper: (_model, options) =>
      new ((options && forms[options.type as keyof typeof forms]) ?? Found)(),
  };
}

describe('the form of a chat', () => {
  it("is the model's own template where the engine found no more than a family of them", () => {
    expect(openTemplates(engine(ChatMl, Own), null).wrapperOf('m', MODEL)).toBeInstanceOf(Own);
  });

  it('is what the engine found where that is made for the model, or the template cannot be read', () => {
    expect(openTemplates(engine(Special, Own), null).wrapperOf('m', MODEL)).toBeInstanceOf(Special);
    expect(openTemplates(engine(ChatMl, Unreadable), null).wrapperOf('m', MODEL)).toBeInstanceOf(ChatMl);
    expect(openTemplates(engine(ChatMl, null), null).wrapperOf('m', MODEL)).toBeInstanceOf(ChatMl);
  });

  it('is kept for the next load of the same file, and found out anew when that was by an earlier rule', () => {
    const [model, kept] = [folder.path('m.gguf'), folder.path('templates.json')];
    fs.writeFileSync(model, 'x');
    const { size, mtimeMs } = fs.statSync(model);
    fs.writeFileSync(kept, JSON.stringify({ [`${model} ${size} ${mtimeMs}`]: 'chatML' }));
    expect(openTemplates(engine(ChatMl, Own), kept).wrapperOf(model, MODEL)).toBeInstanceOf(Own);
    expect(openTemplates(engine(Special, Own), kept).wrapperOf(model, MODEL)).toBeInstanceOf(Own);
  });
});
