using LServe.Stores.Local;
using Microsoft.Win32.SafeHandles;

namespace LServe.Tests.Contracts;

/// <summary>The process ended here.</summary>
public sealed class SimulatedKill(string point) : Exception($"Killed at {point}.");

public enum Fault
{
    /// <summary>The process ends before the operation.</summary>
    Kill,

    /// <summary>The process ends in the middle of a write; elsewhere like <see cref="Kill"/>.</summary>
    Tear,

    /// <summary>The operation fails: no room.</summary>
    DiskFull,

    /// <summary>The operation fails: not permitted.</summary>
    ReadOnly,
}

/// <summary>Files on which one operation goes wrong.</summary>
/// <param name="at">Which one, from 1; 0: none.</param>
internal sealed class FaultyFiles(Fault fault, int at) : IStoreFiles
{
    private readonly DiskFiles _disk = new();

    /// <summary>Operations so far.</summary>
    public int Passed { get; private set; }

    /// <summary>The point where it happened, or null.</summary>
    public string? Struck { get; private set; }

    public SafeFileHandle OpenToAppend(string path) => _disk.OpenToAppend(path);

    public void Write(string point, SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset)
    {
        if (fault == Fault.Tear && Passed + 1 == at)
        {
            var all = pieces.SelectMany(piece => piece.ToArray()).ToArray();
            RandomAccess.Write(file, all.AsSpan(0, all.Length / 2), offset);
        }
        Pass(point);
        _disk.Write(point, file, pieces, offset);
    }

    public void Truncate(string point, SafeFileHandle file, long length)
    {
        Pass(point);
        _disk.Truncate(point, file, length);
    }

    public void Sync(string point, SafeFileHandle file)
    {
        Pass(point);
        _disk.Sync(point, file);
    }

    public void SyncFolder(string point, string folder)
    {
        Pass(point);
        _disk.SyncFolder(point, folder);
    }

    public void Rename(string point, string from, string to)
    {
        Pass(point);
        _disk.Rename(point, from, to);
    }

    public void Delete(string point, string path)
    {
        Pass(point);
        _disk.Delete(point, path);
    }

    public void Pass(string point)
    {
        // A process that was killed does nothing more.
        if (Struck is not null && fault is Fault.Kill or Fault.Tear) throw new SimulatedKill(point);
        if (++Passed != at) return;
        Struck = point;
        throw fault switch
        {
            Fault.DiskFull => new IOException("No space left on device", 28),
            Fault.ReadOnly => new UnauthorizedAccessException("Read-only file system"),
            _ => new SimulatedKill(point),
        };
    }
}
