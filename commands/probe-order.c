/* The order: the pod with its probes as they are to be made, and which of them. */
#include "client.h"
#include "command.h"
#include "probe.h"
#include "show.h"

#include <string.h>
#include <strings.h>

static const char *const types[] = {"Startup", "Readiness", "Liveness"};

static struct probe *probe_of(const struct container *container, size_t type)
{
    return type == 0   ? container->startup_probe
           : type == 1 ? container->readiness_probe
                       : container->liveness_probe;
}

static bool is_meant(const struct probe_flags *flags, const struct container *container,
                     size_t type)
{
    return probe_of(container, type) && (!flags->type || !strcmp(flags->type, types[type])) &&
           (!flags->container || str_equal(flags->container, container->name));
}

/* fields in place of those that the probes have */

struct change {
    const struct probe_flags *flags;
    struct arena *arena;
    unsigned made; /* a bit for each flag that had an effect */
};

enum field {
    FIELD_PATH,
    FIELD_HOST,
    FIELD_PORT,
    FIELD_SCHEME,
    FIELD_SERVICE,
    FIELD_HEADER,
    FIELD_COMMAND,
    FIELDS
};

static void set_text(struct change *change, enum field field, const char **member,
                     const char *value)
{
    if (!value)
        return;
    *member = arena_strdup(change->arena, value);
    change->made |= 1U << field;
}

static void set_port(struct change *change, struct int_or_string *port)
{
    const char *value = change->flags->port;
    int64_t number;

    if (!value)
        return;
    *port = (struct int_or_string){.string = arena_strdup(change->arena, value)};
    if (str_to_i64(value, &number) == 0)
        *port = (struct int_or_string){.number = (int32_t)MIN(MAX(number, -1), INT32_MAX)};
    change->made |= 1U << FIELD_PORT;
}

static bool is_replaced(const struct probe_flags *flags, const struct http_header *header)
{
    for (size_t i = 0; i < flags->header_count; i++)
        if (header->name && !strcasecmp(header->name, flags->headers[i].name))
            return true;
    return false;
}

static void set_headers(struct change *change, struct http_get_action *get)
{
    const struct probe_flags *flags = change->flags;
    struct http_header *headers;
    size_t count = 0;

    if (!flags->header_count)
        return;
    headers = arena_array(change->arena, struct http_header,
                          get->http_headers.count + flags->header_count);
    array_for_each (header, get->http_headers)
        if (!is_replaced(flags, header))
            headers[count++] = *header;
    for (size_t i = 0; i < flags->header_count; i++)
        headers[count++] = (struct http_header){
            .name = arena_strdup(change->arena, flags->headers[i].name),
            .value = arena_strdup(change->arena, flags->headers[i].value),
        };
    get->http_headers.items = headers;
    get->http_headers.count = count;
    change->made |= 1U << FIELD_HEADER;
}

static void set_command(struct change *change, struct exec_action *exec)
{
    const struct string_list *command = change->flags->command;

    if (!command)
        return;
    exec->command = (struct string_list){0};
    for (size_t i = 0; i < command->count; i++)
        strings_add(change->arena, &exec->command, arena_strdup(change->arena, command->items[i]));
    change->made |= 1U << FIELD_COMMAND;
}

static void change_handler(struct change *change, struct handler *handler)
{
    const struct probe_flags *flags = change->flags;

    if (handler->http_get) {
        set_text(change, FIELD_PATH, &handler->http_get->path, flags->path);
        set_text(change, FIELD_HOST, &handler->http_get->host, flags->host);
        set_text(change, FIELD_SCHEME, &handler->http_get->scheme, flags->scheme);
        set_port(change, &handler->http_get->port);
        set_headers(change, handler->http_get);
    }
    if (handler->tcp_socket) {
        set_text(change, FIELD_HOST, &handler->tcp_socket->host, flags->host);
        set_port(change, &handler->tcp_socket->port);
    }
    if (handler->grpc) {
        struct int_or_string port = {.number = handler->grpc->port};

        set_text(change, FIELD_SERVICE, &handler->grpc->service, flags->service);
        set_port(change, &port);
        handler->grpc->port = port.string ? 0 : port.number;
    }
    if (handler->exec)
        set_command(change, handler->exec);
}

static void change_containers(struct change *change, const struct container_list *containers)
{
    array_for_each (container, *containers)
        for (size_t type = 0; type < array_size(types); type++)
            if (is_meant(change->flags, container, type))
                change_handler(change, &probe_of(container, type)->handler);
}

static void edit(struct object *object, void *data)
{
    struct change *change = data;
    struct pod *pod = pod_of(object);

    change->arena = &object->arena;
    change_containers(change, &pod->spec.init_containers);
    change_containers(change, &pod->spec.containers);
    if (change->flags->ip) {
        pod->status.pod_ip = arena_strdup(change->arena, change->flags->ip);
        pod->status.pod_ips.count = 0;
    }
}

/* The first flag that no probe has a field for, or NULL. */
static const char *idle_flag(const struct change *change)
{
    const struct probe_flags *flags = change->flags;
    const struct {
        const char *flag;
        bool given;
    } fields[FIELDS] = {
        [FIELD_PATH] = {"--path", flags->path},
        [FIELD_HOST] = {"--host", flags->host},
        [FIELD_PORT] = {"--port", flags->port},
        [FIELD_SCHEME] = {"--scheme", flags->scheme},
        [FIELD_SERVICE] = {"--service", flags->service},
        [FIELD_HEADER] = {"--header", flags->header_count},
        [FIELD_COMMAND] = {"the command", flags->command},
    };

    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].given && !(change->made & 1U << i))
            return fields[i].flag;
    return NULL;
}

/* the pod */

/* Of a pod that can be read only what is wrong with its probes matters here. */
static const struct finding *first_error(const struct report *report, bool readable)
{
    array_for_each (finding, report->findings)
        if (finding->level == FINDING_ERROR && (!readable || strstr(finding->path, "Probe")))
            return finding;
    return NULL;
}

struct object *probe_order_pod(const struct json *document, const struct probe_flags *flags,
                               const char *name)
{
    struct change change = {.flags = flags};
    const struct finding *finding;
    struct object *object;
    struct report report;
    const char *idle;

    report_init(&report, document);
    object =
        object_decode_edited(&object_kind_pod, document, OBJECT_DROP_RAW, edit, &change, &report);
    if (object)
        object_validate(object, &report);
    finding = first_error(&report, object != NULL);
    idle = object ? idle_flag(&change) : NULL;
    if (finding)
        usage_error("probe", "%s%s%s: %s", name ? name : "", name ? ": " : "", finding->path,
                    finding->message);
    else if (idle)
        usage_error("probe", "%s: no probe that is meant has that", idle);
    report_deinit(&report);
    if (!finding && !idle)
        return object;
    object_unref(object);
    return NULL;
}

/* which probes */

static void write_known(const struct probe_errand *errand, const struct container *container,
                        size_t type, struct json_writer *writer)
{
    for (uint32_t i = 0; i < errand->agents.length; i++) {
        const struct json *known = &errand->agents.items[i];
        const struct json *name = json_get_string(known, "container");
        const struct json *kind = json_get_string(known, "type");

        if (!name || !kind || !json_text_is(name, container->name) ||
            !json_text_is(kind, types[type]))
            continue;
        json_write_name(writer, "known");
        json_write_value(writer, known);
        return;
    }
}

static size_t write_probes_of(const struct probe_errand *errand, const struct probe_flags *flags,
                              const struct container_list *containers, struct json_writer *writer)
{
    size_t count = 0;

    array_for_each (container, *containers)
        for (size_t type = 0; type < array_size(types); type++) {
            if (!is_meant(flags, container, type))
                continue;
            json_write_object(writer);
            show_member(writer, "container", container->name);
            show_member(writer, "type", types[type]);
            write_known(errand, container, type, writer);
            json_write_object_end(writer);
            count++;
        }
    return count;
}

static size_t write_probes(const struct probe_errand *errand, const struct probe_flags *flags,
                           struct json_writer *writer)
{
    const struct pod *pod = pod_of(errand->pod);
    struct probe_flags wanted = *flags;
    size_t count;

    if (errand->ad_hoc)
        wanted.container = NULL;
    json_write_name(writer, "probes");
    json_write_array(writer);
    count = write_probes_of(errand, &wanted, &pod->spec.init_containers, writer);
    count += write_probes_of(errand, &wanted, &pod->spec.containers, writer);
    json_write_array_end(writer);
    return count;
}

static bool has_container(const struct container_list *containers, const char *name)
{
    array_for_each (container, *containers)
        if (str_equal(container->name, name))
            return true;
    return false;
}

static int none_is_meant(const struct probe_errand *errand, const struct probe_flags *flags)
{
    const struct pod *pod = pod_of(errand->pod);
    const char *name = pod->object.metadata.name ? pod->object.metadata.name : "";

    if (flags->container && !has_container(&pod->spec.containers, flags->container) &&
        !has_container(&pod->spec.init_containers, flags->container))
        return usage_error("probe", "pod %s has no container \"%.64s\"", name, flags->container);
    return usage_error("probe", "pod %s has no %s%sprobe%s%s", name, flags->type ? flags->type : "",
                       flags->type ? " " : "", flags->container ? " in container " : "",
                       flags->container ? flags->container : "");
}

/* the order */

static void write_usec(struct json_writer *writer, const char *name, usec_t usec)
{
    if (usec == USEC_NEVER)
        return;
    json_write_int_member(writer, name, (int64_t)usec);
}

static void write_number(struct json_writer *writer, const char *name, int64_t number)
{
    if (!number)
        return;
    json_write_int_member(writer, name, number);
}

static void write_flags(const struct probe_flags *flags, struct json_writer *writer)
{
    write_usec(writer, "timeoutMicroseconds", flags->timeout);
    write_usec(writer, "periodMicroseconds", flags->period);
    write_usec(writer, "delayMicroseconds", flags->delay);
    write_number(writer, "successThreshold", flags->success_threshold);
    write_number(writer, "failureThreshold", flags->failure_threshold);
    write_number(writer, "count", flags->watch ? 0 : MAX(flags->count, (int64_t)1));
    show_member(writer, "runtimeEndpoint", flags->runtime_endpoint);
    show_member_bool(writer, "close", flags->close);
    show_member_bool(writer, "json", flags->json);
    show_member_bool(writer, "showSecrets", flags->show_secrets);
}

int probe_order_write(const struct probe_errand *errand, const struct probe_flags *flags,
                      struct strbuf *text)
{
    struct json_writer writer;
    size_t count;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    json_write_name(&writer, "pod");
    object_encode(errand->pod, &writer);
    show_member_bool(&writer, "adHoc", errand->ad_hoc);
    write_flags(flags, &writer);
    count = write_probes(errand, flags, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    return count ? EXIT_GOOD : none_is_meant(errand, flags);
}

void probe_errand_deinit(struct probe_errand *errand)
{
    if (errand->agent)
        answer_deinit(errand->agent);
    object_unref(errand->pod);
    arena_deinit(&errand->arena);
}
