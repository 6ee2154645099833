//! The same with an editor that somebody else wrote: Neovim (Debian's package `neovim`).

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::Kiln;

/// Opens a file, waits for problems, completes, formats, and prints what came of it.
const SCRIPT: &str = r#"
local function say(...) io.stdout:write(table.concat({...}, ' '), '\n') end
local id = vim.lsp.start_client({ name = 'kiln', cmd = { vim.env.KILN, 'lsp' }, root_dir = vim.fn.getcwd() })
vim.cmd('edit t.pkr.hcl')
local buffer = vim.api.nvim_get_current_buf()
vim.lsp.buf_attach_client(buffer, id)
vim.wait(60000, function() return #vim.diagnostic.get(buffer) > 0 end, 10)
for _, found in ipairs(vim.diagnostic.get(buffer)) do
  say('problem', found.lnum, found.col, found.end_col)
end
local place = { textDocument = vim.lsp.util.make_text_document_params(buffer), position = { line = 6, character = 24 } }
local answers = vim.lsp.buf_request_sync(buffer, 'textDocument/completion', place, 60000)
for _, answer in pairs(answers or {}) do
  for _, item in ipairs(answer.result) do say('completion', item.label) end
end
vim.lsp.buf.formatting_sync(nil, 60000)
say('line', vim.api.nvim_buf_get_lines(buffer, 2, 3, false)[1])
vim.api.nvim_buf_set_lines(buffer, 1, 2, false, {})
vim.wait(60000, function() return #vim.diagnostic.get(buffer) == 0 end, 10)
say('left', #vim.diagnostic.get(buffer))
vim.lsp.stop_client(id)
vim.cmd('qall!')
"#;

const TEMPLATE: &str = "source \"null\" \"a\" {\n  /* 😀 */ comunicator = \"x\"\ncommunicator=\"none\"\n}\nvariable \"size\" {}\nlocals {\n  text = \"${\"😀\"} ${var.size}\"\n}\nbuild {\n  sources = [\"null.a\"]\n}\n";

#[test]
fn neovim_shows_problems_completes_and_formats() -> Result<()> {
    let mut kiln = Kiln::new();
    let program = kiln_tests::kiln::program_folder().join("kiln");
    kiln.env("KILN", &program.to_string_lossy());
    kiln.write("t.pkr.hcl", TEMPLATE);
    let script = kiln.write("session.lua", SCRIPT);
    let mut command = Command::new("nvim");
    command.args(["--headless", "--clean", "-n", "-c"]);
    command
        .arg(format!("luafile {}", script.display()))
        // Whatever is left undone when the script fails.
        .args(["-c", "cquit"]);
    let finished = kiln
        .start_command(command)?
        .finish(Duration::from_secs(120))?;
    drop(
        finished
            .success()
            .says("problem 1 13 24")
            .says("completion size")
            .says("line   communicator        = \"none\"")
            .says("left 0"),
    );
    Ok(())
}
