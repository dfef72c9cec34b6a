/* What happened, for the agent. */
#include "nodeagent/sys/files.h"
#include "thick.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static void write_pair(struct json_writer *writer, const char *name, const char *value)
{
    if (str_empty(value))
        return;
    json_write_name(writer, name);
    /* It may be anything, as it comes from the environment. */
    if (utf8_check(value, strlen(value)))
        json_write_string(writer, "?");
    else
        json_write_string(writer, value);
}

static void write_steps(struct json_writer *writer, const struct thick_report *report)
{
    json_write_name(writer, "plugins");
    json_write_array(writer);
    for (size_t i = 0; i < report->step_count; i++) {
        json_write_object(writer);
        write_pair(writer, "type", report->steps[i].type);
        write_pair(writer, "verb", report->steps[i].command);
        json_write_int_member(writer, "usec", report->steps[i].wall_usec);
        json_write_bool_member(writer, "failed", report->steps[i].failed);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void write_addresses(struct json_writer *writer, const struct thick_report *report)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 4096);
    struct cni_addresses addresses;

    cni_result_addresses(report->result, report->call->ifname, &arena, &addresses);
    json_write_name(writer, "addresses");
    json_write_array(writer);
    array_for_each (address, addresses.items)
        json_write_string(writer, *address);
    json_write_array_end(writer);
}

static void write_problems(struct json_writer *writer, const struct cni_networks *networks)
{
    json_write_name(writer, "problems");
    json_write_array(writer);
    array_for_each (problem, networks->problems)
        json_write_string(writer, *problem);
    json_write_array_end(writer);
}

static void write_failure(struct json_writer *writer, const struct cni_failure *failure)
{
    json_write_name(writer, "failure");
    json_write_object(writer);
    json_write_int_member(writer, "code", failure->code);
    write_pair(writer, "plugin", failure->plugin);
    write_pair(writer, "message", failure->err.text);
    write_pair(writer, "details", failure->errors);
    json_write_object_end(writer);
}

void thick_report_write(const struct thick_report *report, struct strbuf *out)
{
    struct json_writer writer;

    json_writer_init(&writer, out, false);
    json_write_object(&writer);
    write_pair(&writer, "verb", report->call->command);
    write_pair(&writer, "containerId", report->call->container_id);
    write_pair(&writer, "ifName", report->call->ifname);
    write_pair(&writer, "netns", report->call->netns);
    write_pair(&writer, "args", report->call->args);
    if (report->network) {
        write_pair(&writer, "network", report->network->name);
        write_pair(&writer, "file", report->network->place);
    }
    json_write_int_member(&writer, "usec", report->wall_usec);
    write_steps(&writer, report);
    if (report->result)
        write_addresses(&writer, report);
    if (report->networks && report->networks->problems.count)
        write_problems(&writer, report->networks);
    if (report->failure)
        write_failure(&writer, report->failure);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

void thick_tell(const char *path, const struct thick_report *report)
{
    _cleanup_(fd_close_at) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
        return;
    strcpy(address.sun_path, path);
    thick_report_write(report, &text);
    /* An agent that is not there, or does not keep up, looks at the records. */
    sendto(fd, text.text, text.length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
           sizeof(address));
}
