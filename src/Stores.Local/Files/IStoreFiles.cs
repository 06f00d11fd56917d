using Microsoft.Win32.SafeHandles;

namespace LServe.Stores.Local;

/// <summary>
/// What the stores do to files, operation by operation, each under the name of the point where it happens: a test puts itself in
/// between and kills, fails or tears.
/// </summary>
internal interface IStoreFiles
{
    /// <summary>Opens a file for reading and writing, and makes it if it isn't there.</summary>
    SafeFileHandle OpenToAppend(string path);

    void Write(string point, SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> pieces, long offset);

    void Truncate(string point, SafeFileHandle file, long length);

    /// <summary>The file's bytes are on the medium when this returns.</summary>
    void Sync(string point, SafeFileHandle file);

    /// <summary>The folder's entries are on the medium when this returns.</summary>
    void SyncFolder(string point, string folder);

    void Rename(string point, string from, string to);

    /// <summary>Nothing happens if the file isn't there.</summary>
    void Delete(string point, string path);

    /// <summary>A point between operations that others carry out, such as the database's.</summary>
    void Pass(string point);
}
