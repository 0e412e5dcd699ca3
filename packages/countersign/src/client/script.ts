/** What a page without modules gets: `<script src="countersign-client.js">` and the name `countersign`. */
export * from './index.ts'
