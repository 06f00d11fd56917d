using System.Text;
using LServe.Cpu;
using LServe.Stores.Local;
using Microsoft.Extensions.Logging;

namespace LServe.Silo;

/// <summary>Reads <see cref="SiloOptions"/>: the command line wins over variables, variables over defaults.</summary>
internal static class CommandLine
{
    private const int MaxTokens = 1 << 30;

    private static readonly OptionDefinition[] Definitions =
    [
        OptionDefinition.Number("--port", "TCP port (8080); 0 takes a free one", 0, 65_535, (o, n) => o with { Port = n }),
        new("--host", "ADDRESS", "Address to listen on: an IP address, localhost or * (127.0.0.1)", (o, text) => o with { Host = text }),
        new("--model", "PATH", "GGUF file or Hugging Face folder (the bundled SmolLM2-135M-Instruct)", (o, text) => o with { Model = text }),
        new("--data", "FOLDER", "Folder for the server's files: compiled GPU kernels (none)", (o, text) => o with { Data = text }),
        new("--session-dir", "FOLDER", $"Folder for conversations, one server at a time; none keeps them in memory ({SessionFolder.Default})", (o, text) => o with { SessionFolder = text }),
        OptionDefinition.Number("--keep-turns", "Turns of each conversation that can be rewound to and forked at once (8)", 1, LocalStoreOptions.MaxKeepTurns, (o, n) => o with { KeepTurns = n }),
        OptionDefinition.Number("--checkpoint-every", "Tokens of an answer after which it is noted how far it is, in case of a kill (never)", 0, MaxTokens, (o, n) => o with { CheckpointEvery = n }),
        OptionDefinition.Number("--session-dir-max", "GiB of pages in that folder; past it the conversations used longest ago lose theirs (no limit)", 0, 1 << 20, (o, n) => o with { SessionFolderMax = n }),
        new("--store", "azure=CONNECTION", "Keep conversations in Azure Storage for several servers, instead of in a folder: a connection string, a container's URL with a signature, or the variable that has one; cluster edition only", (o, text) => o with { Store = text }),
        new("--store-container", "NAME", "Container of that store (lserve)", (o, text) => o with { StoreContainer = text }),
        OptionDefinition.Number("--threads", "Threads that compute (one per core)", 0, 4_096, (o, n) => o with { Threads = n }),
        OptionDefinition.Number("--context", "Tokens of the longest conversation (the model's own)", 0, MaxTokens, (o, n) => o with { Context = n }),
        OptionDefinition.Number("--kv-tokens", "Tokens that all conversations in memory share (four contexts)", 0, MaxTokens, (o, n) => o with { KvTokens = n }),
        OptionDefinition.Number("--max-batch", "Conversations that share a step (64)", 0, 4_096, (o, n) => o with { MaxBatch = n }),
        OptionDefinition.Choice("--backend", "What computes (auto)", Backends(), (o, kind) => o with { Backend = kind }),
        OptionDefinition.Choice("--activations", "What matrix products on the CPU read their inputs as (float32)", ActivationKinds(), (o, kind) => o with { Activations = kind }),
        .. AttentionDefinitions.All,
        OptionDefinition.Choice("--log-level", "What is logged to standard error (warning)", LogLevels(), (o, level) => o with { LogLevel = level }),
        new("--cluster", "PROVIDER", "Join a cluster: localhost, adonet (PostgreSQL) or azure, with settings after commas; cluster edition only", (o, text) => o with { Cluster = text }),
        new("--cluster-connection", "TEXT", "Connection string of the server that keeps the cluster's members; better in its variable", (o, text) => o with { ClusterConnection = text }),
    ];

    public static string Help { get; } = WriteHelp();

    /// <summary>The options, or null when help was asked for.</summary>
    /// <exception cref="StartException">An option is unknown, lacks its value, or has one it can't have.</exception>
    public static SiloOptions? Read(string[] arguments, Func<string, string?> variable)
    {
        var options = new SiloOptions();
        foreach (var definition in Definitions)
            if (variable(definition.Variable) is { Length: > 0 } text)
                options = SetFromVariable(definition, options, text);

        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] is "--help" or "-h")
                return null;
            var (name, value) = Split(arguments[i]);
            var definition = Find(name);
            value ??= ++i < arguments.Length ? arguments[i] : throw new StartException($"{name} needs a value: {name} {definition.Value}.");
            options = definition.Set(options, value);
        }
        return options;
    }

    private static SiloOptions SetFromVariable(OptionDefinition definition, SiloOptions options, string text)
    {
        try
        {
            return definition.Set(options, text);
        }
        catch (StartException problem)
        {
            throw new StartException($"{problem.Message.TrimEnd('.')} (from the variable {definition.Variable}).", problem);
        }
    }

    private static (string Name, string? Value) Split(string argument)
    {
        var equals = argument.IndexOf('=');
        return argument.StartsWith("--", StringComparison.Ordinal) && equals > 0 ? (argument[..equals], argument[(equals + 1)..]) : (argument, null);
    }

    private static OptionDefinition Find(string name) =>
        Array.Find(Definitions, definition => definition.Name == name)
        ?? throw new StartException($"There is no option '{name}'; ./lserve serve --help lists them.");

    private static (string, BackendKind)[] Backends() =>
        [("auto", BackendKind.Auto), ("cpu", BackendKind.Cpu), ("reference", BackendKind.Reference), ("cuda", BackendKind.Cuda)];

    private static (string, Activations)[] ActivationKinds() => [.. Enum.GetValues<Activations>().Select(kind => (kind.Name(), kind))];

    private static (string, LogLevel)[] LogLevels() =>
    [
        ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("information", LogLevel.Information), ("warning", LogLevel.Warning),
        ("error", LogLevel.Error), ("none", LogLevel.None),
    ];

    private static string WriteHelp()
    {
        var help = new StringBuilder("""
            Runs the server: an OpenAI-compatible API and a chat page on one port.

            Usage: ./lserve serve [OPTIONS]

            Options (defaults in parentheses; each may come from a variable instead, --kv-tokens from LSERVE_KV_TOKENS):

            """);
        foreach (var definition in Definitions)
        {
            var head = $"  {definition.Name} {definition.Value}";
            help.Append(head.Length < 22 ? head.PadRight(22) : head + "\n" + new string(' ', 22)).Append(definition.Explanation).Append('\n');
        }
        return help.Append($"  {"--help",-20}Show this\n\nThis is the {Edition.Name} edition.\n").ToString();
    }
}
