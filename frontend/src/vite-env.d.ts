/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_UPSCALE_MODE?: string;
  readonly VITE_API_URL?: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}
