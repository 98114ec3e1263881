import { NO_FEATURES, type BackendFeatures } from '../domain/model.js';

export const EMBEDDED_FEATURES: BackendFeatures = {
  ...NO_FEATURES,
  thinking: true,
  load: true,
  unload: true,
  pin: true,
  pull: true,
  delete: true,
  loadProgress: true,
  promptProgress: true,
  contextSize: true,
  contextChoice: true,
  memory: true,
  queue: true,
  prefill: true,
  promptCount: true,
};
