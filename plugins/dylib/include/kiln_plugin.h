/*
 * A plugin of kiln as a shared library.
 *
 * kiln finds `kiln-plugin-NAME.so` beside its other plugins and has `kiln-plugin-dylib` load it, in a
 * process of its own for each run. The library exports the four functions at the end of this file and
 * needs nothing else: no library of kiln's, no protocol.
 *
 * Texts are UTF-8 and end with a zero byte. Texts that cross the border in either direction belong to
 * the side that made them, and are good until the function that they were given to returns; what the
 * library returns from kiln_plugin_describe stays good for ever. Everything structured is JSON.
 *
 * The functions of kiln_host may be called from any thread, until the kiln_plugin_run that they were
 * given to returns. Several runs may be under way at once, each with a kiln_run of its own.
 */
#ifndef KILN_PLUGIN_H
#define KILN_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this file: what kiln_plugin_abi has to return. Within one version, functions are only
 * added, at the end of kiln_host; its first member tells how many there are. */
#define KILN_PLUGIN_ABI 1

/* What functions return. */
#define KILN_OK 0         /* it is done */
#define KILN_FAILED 1     /* it is not; kiln_host.fault says why */
#define KILN_CANCELLED 2  /* the run shall stop: undo what was made, and return KILN_CANCELLED */

/* Levels of the log. */
#define KILN_ERROR 1
#define KILN_WARN 2
#define KILN_INFO 3
#define KILN_DEBUG 4

/* One run, as the host knows it. */
typedef struct kiln_run kiln_run;

/* Takes a piece of what a command prints; error is 1 for standard error and 0 for standard output. */
typedef void (*kiln_output)(void *data, int error, const char *bytes, size_t length);

/* A machine that a builder made: what provisioners do is done by these. `data` is handed over as it
 * is. They may be called from several threads at once. Each may be NULL when the machine cannot do
 * that. They return KILN_OK or KILN_FAILED; `fault`, of 512 bytes, is for the reason of a failure.
 * `local` is the path of a file or folder on this machine. A machine without any function succeeds
 * at every command and refuses files. */
typedef struct kiln_machine {
    size_t size; /* sizeof(kiln_machine) */
    void *data;
    /* Runs a command whose standard input is the file `local`; `status` is its exit status. */
    int (*execute)(void *data, const char *command, const char *local, kiln_output output,
                   void *output_data, int32_t *status, char *fault);
    int (*upload)(void *data, const char *local, const char *path, uint32_t mode, char *fault);
    int (*download)(void *data, const char *path, const char *local, char *fault);
    /* What is in the folder `local` goes into the folder `path`, which is made when missing. */
    int (*upload_tree)(void *data, const char *local, const char *path, char *fault);
    int (*download_tree)(void *data, const char *path, const char *local, char *fault);
} kiln_machine;

/* What the host can do for a run. */
typedef struct kiln_host {
    size_t size; /* sizeof(kiln_host) on the host's side */

    /* Tells the person building; complain tells that something went wrong. */
    void (*say)(kiln_run *run, const char *text);
    void (*complain)(kiln_run *run, const char *text);
    /* Writes to the log, for the person debugging. */
    void (*log)(kiln_run *run, int level, const char *text);
    /* Reports how far long work has come; total is 0 when that is not known. */
    void (*progress)(kiln_run *run, const char *label, uint64_t done, uint64_t total);
    /* Keeps a text out of every output from now on. */
    void (*secret)(kiln_run *run, const char *text);
    /* Whether the run shall stop. Ask often. */
    int (*cancelled)(kiln_run *run);
    /* Why the last function of this thread failed. */
    const char *(*fault)(kiln_run *run);

    /* Puts something on record that would outlive a crash: kind is `file` or `directory`, id its
     * absolute path. Create it only when this has returned KILN_OK. After a crash the host removes it. */
    int (*announce)(kiln_run *run, const char *kind, const char *id, uint64_t *number);
    /* Takes it off the record: it is gone, or has become part of the artifact. */
    void (*release)(kiln_run *run, uint64_t number);

    /* Builders: a step begins, or has ended; error is NULL when it succeeded. */
    void (*step_begun)(kiln_run *run, const char *name);
    void (*step_ended)(kiln_run *run, const char *name, const char *error);
    /* Builders: has the machine provisioned. machine may be NULL; values is a JSON object that
     * provisioners see as build.NAME. */
    int (*provision)(kiln_run *run, const kiln_machine *machine, const char *values);

    /* Provisioners: the machine. output may be NULL: what the command prints is then said. */
    int (*execute)(kiln_run *run, const char *command, kiln_output output, void *data,
                   int32_t *status);
    int (*upload)(kiln_run *run, const char *local, const char *path, uint32_t mode);
    int (*download)(kiln_run *run, const char *path, const char *local);
    int (*upload_tree)(kiln_run *run, const char *local, const char *path);
    int (*download_tree)(kiln_run *run, const char *path, const char *local);

    /* The result of a run that succeeds, a JSON object:
     *   builders:        {"builder_id", "id", "files": [], "description", "state": {}, "destroy": []}
     *   post-processors: the same, and "keep_input": bool, "force_keep_input": bool
     *   data sources:    the outputs by name
     *   provisioners:    none
     * Without one, builders and post-processors leave no artifact. */
    int (*result)(kiln_run *run, const char *json);
    /* Why the run fails, one line; option, which may be NULL, is the option to blame. */
    void (*fail)(kiln_run *run, const char *message, const char *option);
} kiln_host;

/* What a check finds. option may be NULL. is_error is 0 for a warning. summary is one line without a
 * period, detail is whole sentences, hint, which may be NULL, is what to try. */
typedef void (*kiln_report)(void *data, int is_error, const char *option, const char *summary,
                            const char *detail, const char *hint);

/* --- What the library exports ----------------------------------------------------------------- */

/* KILN_PLUGIN_ABI. */
uint32_t kiln_plugin_abi(void);

/* What the library offers, without side effects, a JSON object:
 *   {"name": "NAME", "version": "1.2.3", "components": [
 *     {"kind": "builder" | "provisioner" | "post-processor" | "data-source",
 *      "name": "NAME" or "NAME-…", "doc": "One paragraph.",
 *      "options": [{"name", "type", "doc", "required": false, "sensitive": false, "default": "text",
 *                   "deprecated": "why", "choices": ["word", …]}],
 *      "outputs": [the same, for data sources],
 *      "generated": ["name", …] of further values that a builder gives to provision}]}
 * type is "any", "bool", "number", "string", "duration", {"list": type} or {"map": type}. */
const char *kiln_plugin_describe(void);

/* Checks options that have the right types, and touches nothing. input is
 *   {"kind", "name", "options": {}, "build": {…}}
 * Options that are not set are absent; a value that only a build can know is absent, too. */
void kiln_plugin_prepare(const char *input, kiln_report report, void *data);

/* Runs a component once. input is as above, and
 *   provisioners, post-processors: "generated": {the machine's values}
 *   post-processors: "artifact": {…}
 * "build" has "name", "source_name", "builder_type", "debug", "force", "template_dir", "cache_dir",
 * "run_dir" (a private folder for this run) and "run_uuid".
 * Returns KILN_OK, KILN_CANCELLED, or KILN_FAILED after kiln_host.fail. */
int kiln_plugin_run(const kiln_host *host, kiln_run *run, const char *input);

#ifdef __cplusplus
}
#endif

#endif
