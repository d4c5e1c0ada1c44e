/** Where the build put the decoder's worker; its name changes with its content. */
declare const DECODER_URL: string;
/** Where the build put the decoder's WebAssembly. */
declare const WASM_URL: string;
