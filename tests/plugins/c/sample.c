/*
 * A plugin for kiln in C: one component of each kind, all called `c`.
 *
 * The builder's machine is a folder in which commands run; the provisioner writes a file in a machine
 * and shows it; the post-processor copies the names of an artifact's files; the data source gives back
 * a text in capitals. JSON is read by looking for the one key that matters, which is enough for options
 * that are texts without quotes.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kiln_plugin.h"

#define TEXT 4096

/* The text of `"key":"…"` in JSON without spaces between its parts; `otherwise` when it is not there. */
static void option(const char *json, const char *key, const char *otherwise, char *found) {
    char wanted[128];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", key);
    const char *begin = strstr(json, wanted);
    if (!begin) {
        snprintf(found, TEXT, "%s", otherwise);
        return;
    }
    begin += strlen(wanted);
    const char *end = strchr(begin, '"');
    snprintf(found, TEXT, "%.*s", end ? (int)(end - begin) : 0, begin);
}

static int is_kind(const char *input, const char *kind) {
    char found[TEXT];
    option(input, "kind", "", found);
    return strcmp(found, kind) == 0;
}

/* --- The machine: a folder ---------------------------------------------------------------------- */

static int failed(char *fault, const char *what) {
    snprintf(fault, 512, "%s: %s", what, strerror(errno));
    return KILN_FAILED;
}

/* Runs a shell command line in the folder. */
static int shell(const char *folder, const char *command, const char *input, kiln_output output,
                 void *output_data, int32_t *status, char *fault) {
    int out[2], err[2];
    if (pipe(out) || pipe(err)) return failed(fault, "pipe");
    pid_t child = fork();
    if (child < 0) return failed(fault, "fork");
    if (child == 0) {
        if (chdir(folder) || !freopen(input, "r", stdin)) _exit(126);
        dup2(out[1], 1);
        dup2(err[1], 2);
        close(out[0]);
        close(err[0]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    char bytes[4096];
    ssize_t count;
    /* A command that fills the pipe of its errors before it closes its output would wait for ever:
     * good enough for a sample. */
    while ((count = read(out[0], bytes, sizeof bytes)) > 0) output(output_data, 0, bytes, count);
    while ((count = read(err[0], bytes, sizeof bytes)) > 0) output(output_data, 1, bytes, count);
    close(out[0]);
    close(err[0]);
    int ended;
    if (waitpid(child, &ended, 0) < 0) return failed(fault, "waitpid");
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
    return KILN_OK;
}

static int execute(void *data, const char *command, const char *local, kiln_output output,
                   void *output_data, int32_t *status, char *fault) {
    return shell(data, command, local, output, output_data, status, fault);
}

static int copy(const char *from, const char *to, char *fault) {
    FILE *source = fopen(from, "rb");
    if (!source) return failed(fault, from);
    FILE *target = fopen(to, "wb");
    if (!target) {
        fclose(source);
        return failed(fault, to);
    }
    char bytes[65536];
    size_t count;
    int good = 1;
    while (good && (count = fread(bytes, 1, sizeof bytes, source)) > 0)
        good = fwrite(bytes, 1, count, target) == count;
    good = good && !ferror(source);
    fclose(source);
    if (fclose(target) || !good) return failed(fault, to);
    return KILN_OK;
}

static int upload(void *data, const char *local, const char *path, uint32_t mode, char *fault) {
    char place[TEXT];
    snprintf(place, sizeof place, "%s/%s", (char *)data, path);
    int done = copy(local, place, fault);
    if (done == KILN_OK && chmod(place, mode)) return failed(fault, place);
    return done;
}

static int download(void *data, const char *path, const char *local, char *fault) {
    char place[TEXT];
    snprintf(place, sizeof place, "%s/%s", (char *)data, path);
    return copy(place, local, fault);
}

static void ignore(void *data, int error, const char *bytes, size_t length) {
    (void)data, (void)error, (void)bytes, (void)length;
}

static int copy_tree(const char *from, const char *to, char *fault) {
    char command[3 * TEXT];
    int32_t status = 0;
    snprintf(command, sizeof command, "mkdir -p '%s' && cp -a '%s/.' '%s'", to, from, to);
    int done = shell("/", command, "/dev/null", ignore, NULL, &status, fault);
    if (done == KILN_OK && status != 0) {
        snprintf(fault, 512, "cannot copy %.200s to %.200s", from, to);
        return KILN_FAILED;
    }
    return done;
}

static int upload_tree(void *data, const char *local, const char *path, char *fault) {
    char place[TEXT];
    snprintf(place, sizeof place, "%s/%s", (char *)data, path);
    return copy_tree(local, place, fault);
}

static int download_tree(void *data, const char *path, const char *local, char *fault) {
    char place[TEXT];
    snprintf(place, sizeof place, "%s/%s", (char *)data, path);
    return copy_tree(place, local, fault);
}

/* --- The components ----------------------------------------------------------------------------- */

static int broken(const kiln_host *host, kiln_run *run, const char *what) {
    char text[TEXT + 600];
    snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
    host->fail(run, text, NULL);
    return KILN_FAILED;
}

static void undo(const char *folder) {
    char fault[512], command[TEXT + 16];
    int32_t status;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    shell("/", command, "/dev/null", ignore, NULL, &status, fault);
}

static int build(const kiln_host *host, kiln_run *run, const char *input) {
    char given[TEXT], folder[TEXT], text[4 * TEXT];
    option(input, "folder", "", given);
    if (given[0] == '/') {
        snprintf(folder, sizeof folder, "%s", given);
    } else {
        char here[TEXT / 2];
        if (!getcwd(here, sizeof here)) return broken(host, run, "getcwd");
        snprintf(folder, sizeof folder, "%s/%.2000s", here, given);
    }
    if (access(folder, F_OK) == 0) {
        snprintf(text, sizeof text, "`%s` exists already", given);
        host->fail(run, text, "folder");
        return KILN_FAILED;
    }
    uint64_t number;
    int done = host->announce(run, "directory", folder, &number);
    if (done != KILN_OK) return done;
    host->step_begun(run, "make folder");
    if (mkdir(folder, 0755)) {
        host->release(run, number);
        return broken(host, run, folder);
    }
    host->step_ended(run, "make folder", NULL);

    kiln_machine machine = {sizeof machine, folder,   execute,     upload,
                            download,       upload_tree, download_tree};
    snprintf(text, sizeof text, "{\"ID\":\"folder\",\"Folder\":\"%s\"}", folder);
    host->step_begun(run, "provision");
    done = host->provision(run, &machine, text);
    host->step_ended(run, "provision", done == KILN_OK ? NULL : host->fault(run));
    if (done != KILN_OK) {
        undo(folder);
        host->release(run, number);
        if (done == KILN_FAILED) host->fail(run, host->fault(run), NULL);
        return done;
    }
    host->release(run, number);
    snprintf(text, sizeof text,
             "{\"builder_id\":\"kiln.c\",\"id\":\"folder\",\"files\":[\"%s/greeting.txt\"],"
             "\"description\":\"A folder: %s\",\"destroy\":[\"%s\"]}",
             folder, folder, folder);
    return host->result(run, text);
}

static int provision(const kiln_host *host, kiln_run *run, const char *input) {
    char content[TEXT], folder[TEXT], local[TEXT + 16], text[TEXT + 64];
    option(input, "content", "hello", content);
    option(input, "run_dir", "", folder);
    snprintf(local, sizeof local, "%s/c-XXXXXX", folder[0] ? folder : "/tmp");
    int number = mkstemp(local);
    if (number < 0) return broken(host, run, local);
    FILE *file = fdopen(number, "w");
    fprintf(file, "%s\n", content);
    fclose(file);
    int done = host->upload(run, local, "greeting.txt", 0640);
    unlink(local);
    int32_t status = 0;
    if (done == KILN_OK) done = host->execute(run, "cat greeting.txt", NULL, NULL, &status);
    if (done == KILN_FAILED) host->fail(run, host->fault(run), NULL);
    if (done == KILN_OK && status != 0) {
        snprintf(text, sizeof text, "cat ended with status %d", (int)status);
        host->fail(run, text, NULL);
        return KILN_FAILED;
    }
    return done;
}

static int post_process(const kiln_host *host, kiln_run *run, const char *input) {
    char output[TEXT], text[4 * TEXT];
    option(input, "output", "", output);
    const char *files = strstr(input, "\"files\":[");
    files = files ? files + strlen("\"files\":[") : "]";
    const char *end = strchr(files, ']');
    FILE *file = fopen(output, "w");
    if (!file) {
        snprintf(text, sizeof text, "cannot write `%s`: %s", output, strerror(errno));
        host->fail(run, text, "output");
        return KILN_FAILED;
    }
    fprintf(file, "%.*s\n", end ? (int)(end - files) : 0, files);
    fclose(file);
    snprintf(text, sizeof text,
             "{\"builder_id\":\"kiln.post-processor.c\",\"files\":[\"%s\"],\"description\":\"A list: %s\","
             "\"destroy\":[\"%s\"],\"keep_input\":true}",
             output, output, output);
    return host->result(run, text);
}

static int look_up(const kiln_host *host, kiln_run *run, const char *input) {
    char text[TEXT], json[TEXT + 32];
    option(input, "text", "", text);
    for (char *letter = text; *letter; letter++) *letter = (char)toupper((unsigned char)*letter);
    snprintf(json, sizeof json, "{\"capitals\":\"%s\"}", text);
    return host->result(run, json);
}

/* --- What kiln calls ---------------------------------------------------------------------------- */

uint32_t kiln_plugin_abi(void) { return KILN_PLUGIN_ABI; }

const char *kiln_plugin_describe(void) {
    return "{\"name\":\"c\",\"version\":\"0.3.0\",\"components\":["
           "{\"kind\":\"builder\",\"name\":\"c\",\"doc\":\"Makes a folder and has it provisioned.\","
           "\"options\":[{\"name\":\"folder\",\"type\":\"string\",\"required\":true,"
           "\"doc\":\"The folder to make.\"}],\"generated\":[\"Folder\"]},"
           "{\"kind\":\"provisioner\",\"name\":\"c\",\"doc\":\"Writes greeting.txt in the machine.\","
           "\"options\":[{\"name\":\"content\",\"type\":\"string\",\"default\":\"hello\","
           "\"doc\":\"What is written.\"}]},"
           "{\"kind\":\"post-processor\",\"name\":\"c\",\"doc\":\"Lists the artifact's files.\","
           "\"options\":[{\"name\":\"output\",\"type\":\"string\",\"required\":true,"
           "\"doc\":\"The file to write.\"}]},"
           "{\"kind\":\"data-source\",\"name\":\"c\",\"doc\":\"Gives back a text in capitals.\","
           "\"options\":[{\"name\":\"text\",\"type\":\"string\",\"required\":true,\"doc\":\"The text.\"}],"
           "\"outputs\":[{\"name\":\"capitals\",\"type\":\"string\",\"doc\":\"In capitals.\"}]}]}";
}

void kiln_plugin_prepare(const char *input, kiln_report report, void *data) {
    char folder[TEXT];
    option(input, "folder", "x", folder);
    if (is_kind(input, "builder") && folder[0] == 0)
        report(data, 1, "folder", "Missing folder", "`folder` is empty.", "name the folder to make");
}

int kiln_plugin_run(const kiln_host *host, kiln_run *run, const char *input) {
    if (host->cancelled(run)) return KILN_CANCELLED;
    if (is_kind(input, "builder")) return build(host, run, input);
    if (is_kind(input, "provisioner")) return provision(host, run, input);
    if (is_kind(input, "post-processor")) return post_process(host, run, input);
    return look_up(host, run, input);
}
