/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_UPSCALE_MODE?: string;
  readonly VITE_API_URL?: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}

// The package has no types for its light build, which is the same but for what films here do not have.
declare module 'hls.js/light' {
  export { default } from 'hls.js';
}
