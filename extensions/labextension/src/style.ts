// The looks of the panel, the status item and the document: JupyterLab's own variables, so that themes are followed.

const CSS = `
.workbench-lab-panel {
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
  font-size: var(--jp-ui-font-size1);
  line-height: 1.4;
  min-width: 220px !important;
  overflow-y: auto;
  padding: 10px 12px 24px;
}
.workbench-lab-panel h2 { font-size: 12px; font-weight: 600; margin: 18px 0 6px; }
.workbench-lab-panel ul { list-style: none; margin: 0; padding: 0; }
.workbench-lab-panel li { border-bottom: 1px solid var(--jp-border-color2); padding: 5px 0 7px; }
.workbench-lab-panel p { margin: 8px 0 0; }
.workbench-lab-quiet { color: var(--jp-ui-font-color2); font-size: 12px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.workbench-lab-line { align-items: flex-start; display: flex; gap: 8px; justify-content: space-between; }
.workbench-lab-name { font-weight: 500; min-width: 0; overflow-wrap: anywhere; }
.workbench-lab-bar { background: var(--jp-layout-color3); border-radius: 3px; height: 5px; margin: 5px 0 4px; overflow: hidden; }
.workbench-lab-fill { background: var(--jp-brand-color1); height: 100%; }
.workbench-lab-memory > div { margin-bottom: 6px; }
.workbench-lab-problem { border-left: 3px solid var(--jp-warn-color1); font-size: 12px; margin-top: 4px; overflow-wrap: anywhere; padding-left: 8px; }
.workbench-lab-button,
.workbench-lab-launch {
  background: transparent;
  border: 1px solid var(--jp-border-color1);
  border-radius: 4px;
  color: inherit;
  cursor: pointer;
  flex: none;
  font: inherit;
  font-size: 12px;
  padding: 1px 8px;
}
.workbench-lab-launch { padding: 4px 12px; width: 100%; }
.workbench-lab-button:hover:enabled,
.workbench-lab-launch:hover { background: var(--jp-layout-color2); }
.workbench-lab-button:disabled { cursor: default; opacity: 0.55; }
.workbench-lab-link { background: none; border: 0; color: var(--jp-content-link-color); cursor: pointer; font: inherit; overflow-wrap: anywhere; padding: 2px 0; text-align: left; }
.workbench-lab-panel button:focus-visible,
.workbench-lab-status:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: 1px; }
.workbench-lab-status { background: none; border: 0; color: inherit; cursor: pointer; }
.workbench-lab-report { background: var(--jp-layout-color0); height: 100%; overflow: hidden; }
.workbench-lab-report iframe { border: 0; display: block; height: 100%; width: 100%; }
.workbench-lab-report .workbench-lab-problem { margin: 24px; }
`;

/** Put the style sheet into the page, once. */
export function dress(): void {
  if (!document.getElementById('workbench-lab-style')) {
    const sheet = document.createElement('style');
    sheet.id = 'workbench-lab-style';
    sheet.textContent = CSS;
    document.head.append(sheet);
  }
}
