using LServe.Cpu;
using LServe.Inference;
using Microsoft.Extensions.Logging;

namespace LServe.Silo;

internal enum BackendKind
{
    /// <summary>The fastest that this machine has.</summary>
    Auto,
    Cpu,

    /// <summary>Scalar code, the truth that the others are tested against.</summary>
    Reference,
    Cuda,
}

/// <summary>How one server runs. Immutable; from the command line, else from <c>LSERVE_*</c> variables, else these defaults.</summary>
internal sealed record SiloOptions
{
    /// <summary>TCP port; 0: a free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Address to listen on: an IP address, <c>localhost</c> or <c>*</c>.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Folder for the server's files; null: none.</summary>
    public string? Data { get; init; }

    /// <summary>Folder for sessions; null: the user's; <c>none</c>: they stay in memory.</summary>
    public string? SessionFolder { get; init; }

    /// <summary>Turns: the last ones of each session whose pages are kept.</summary>
    public int KeepTurns { get; init; } = LServe.Stores.Local.LocalStoreOptions.DefaultKeepTurns;

    /// <summary>Tokens of an answer after which it is noted how far it is; 0: it isn't.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>GiB of pages in the folder for sessions; 0: no limit.</summary>
    public int SessionFolderMax { get; init; }

    /// <summary>A store that several servers share, in place of a folder: <c>azure=CONNECTION</c>; only the cluster edition has one.</summary>
    public string? Store { get; init; }

    /// <summary>Container of that store; null: its default.</summary>
    public string? StoreContainer { get; init; }

    /// <summary>Model file; null: the bundled one.</summary>
    public string? Model { get; init; }

    /// <summary>Threads that compute; 0: one per core.</summary>
    public int Threads { get; init; }

    /// <summary>Tokens: longest sequence; 0: the model's own context length.</summary>
    public int Context { get; init; }

    /// <summary>Tokens: room of the KV cache for all sequences; 0: the engine's default.</summary>
    public int KvTokens { get; init; }

    /// <summary>Sequences: most that share a step; 0: the engine's default.</summary>
    public int MaxBatch { get; init; }
    public BackendKind Backend { get; init; }

    /// <summary>What matrix products of the CPU backend read their inputs as.</summary>
    public Activations Activations { get; init; }

    /// <summary>How new conversations attend.</summary>
    public AttentionMode Attention { get; init; }

    /// <summary>How keys and values are kept.</summary>
    public KvPrecision Kv { get; init; } = KvPrecision.F16;

    /// <summary>Folder of the head pattern; null: the bundled one; <c>none</c>: no head streams.</summary>
    public string? Pattern { get; init; }

    /// <summary>What sparse conversations do, but for the windows.</summary>
    public LServeOptions Sparse { get; init; } = new();

    /// <summary>Tokens of the start that streaming heads see; null: the pattern's.</summary>
    public int? Sink { get; init; }

    /// <summary>Tokens of the end that streaming heads see; null: the pattern's.</summary>
    public int? Local { get; init; }
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>The cluster to join; only the cluster edition has one.</summary>
    public string? Cluster { get; init; }

    /// <summary>How the server is reached that keeps the cluster's members: a connection string, with its secrets; null: there is none.</summary>
    public string? ClusterConnection { get; init; }
}
